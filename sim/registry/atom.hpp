// SPDX-License-Identifier: Apache-2.0
// Feeds of what happened to entries [RFC 4287].
#pragma once

#include <string>
#include <vector>

#include "sim/registry/entry.hpp"

namespace reticle {

struct FeedItem {
  const Entry* entry = nullptr;
  std::size_t index = 0;  ///< in its history

  [[nodiscard]] const HistoryItem& item() const { return entry->history[index]; }
};

/// All that happened to the entries, the newest first.
std::vector<FeedItem> history_of(const std::vector<const Entry*>& entries);

/// `name` tells feeds apart; links lead to `link_prefix` + the entry's page.
std::string atom_feed(const std::string& title, const std::string& name,
                      const std::vector<FeedItem>& items, const std::string& link_prefix);

}  // namespace reticle
