// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_tier.hpp"

#include <array>
#include <string>

#include "sim/config/bounds.hpp"
#include "sim/config/standard_table.hpp"

namespace reticle {

namespace {
struct TableFact {
  std::string_view section;
  CatalogueKind kind;
};
constexpr std::array kTables{TableFact{"device", CatalogueKind::Tier},
                             TableFact{"link", CatalogueKind::HostLink}};

constexpr Range<Bytes> kNoneOrSmall{Bytes{0}, Bytes{16'777'216}};
constexpr Range<Bytes> kSmall{Bytes{1}, Bytes{16'777'216}};
constexpr Range<std::int64_t> kBanks{1, 4096};

/// One channel: all that a table says.
TierDeviceParams read_channel(const ConfigNode& node) {
  const TierDeviceParams defaults;
  TierDeviceParams params{
      .standard = {},
      .channels = 1,
      .rate = node.get<BytesPerSecond>("rate", bounds::kRate),
      .burst = node.get<Bytes>("burst", kSmall),
      .page = node.get<Bytes>("page", kSmall),
      .interleave = node.get<Bytes>("interleave", kSmall),
      .banks = node.get<std::int64_t>("banks", kBanks),
      .page_read = node.get<Picoseconds>("page_read", bounds::kLatency),
      .page_write = node.get<Picoseconds>("page_write", bounds::kLatency),
      .four_pages = node.get<Picoseconds>("four_pages", defaults.four_pages, bounds::kLatency),
      .refresh_interval =
          node.get<Picoseconds>("refresh_interval", defaults.refresh_interval, bounds::kLatency),
      .refresh_time =
          node.get<Picoseconds>("refresh_time", defaults.refresh_time, bounds::kLatency),
      .read_latency = node.get<Picoseconds>("read_latency", bounds::kLatency),
      .write_latency = node.get<Picoseconds>("write_latency", bounds::kLatency),
  };
  node.check("interleave", params.interleave.count() % params.burst.count() == 0,
             "must be a multiple of the burst");
  node.check("page", params.page.count() % params.burst.count() == 0,
             "must be a multiple of the burst");
  node.check("refresh_time",
             params.refresh_time < params.refresh_interval ||
                 (params.refresh_time.count() == 0 && params.refresh_interval.count() == 0),
             "must be less than refresh_interval (0 and 0 = no refresh)");
  return params;
}

TierDeviceParams read_device(const ConfigNode& node) {
  auto standard = standard_name(node, CatalogueKind::Tier);
  TierDeviceParams params = read_channel(node);
  params.standard = standard;
  params.channels = node.get<std::int64_t>("channels", {1, 4096});
  node.check(
      "channels",
      bounds::product_within(params.channels, params.rate.count(), bounds::kRate.high.count()),
      "channels x rate must not exceed 1 PB/s");
  node.reject_unknown_keys();
  return params;
}

HostLinkParams read_link_table(const ConfigNode& node) {
  return {.standard = {},
          .rate = node.get<BytesPerSecond>("rate", bounds::kRate),
          .latency = node.get<Picoseconds>("latency", bounds::kLatency),
          .packet = node.get<Bytes>("packet", kSmall),
          .header = node.get<Bytes>("header", kNoneOrSmall)};
}

HostLinkParams read_link(const ConfigNode& node) {
  auto standard = standard_name(node, CatalogueKind::HostLink);
  HostLinkParams params = read_link_table(node);
  params.standard = standard;
  node.reject_unknown_keys();
  return params;
}

void pass_labels(const ConfigNode& node) {
  (void)node.get<std::string>("name");
  (void)node.get<std::string>("title");
}
}  // namespace

void fill_from_tier_tables(ConfigTree& memory, std::string_view path) {
  for (const auto& table : kTables) {
    ConfigTree* const section = memory.find(table.section);
    if (section != nullptr && section->kind == ConfigTree::Kind::Map)
      fill_from_standard(*section, table.kind,
                         std::string{path} + "." + std::string{table.section});
  }
}

LinkedMemoryParams read_linked_memory(const ConfigNode& node) {
  const LinkedMemoryParams params{
      .capacity = node.get<Bytes>("capacity", bounds::kSize),
      .queue_depth =
          node.get<std::int64_t>("queue_depth", LinkedMemoryParams{}.queue_depth, bounds::kCount),
      .device = read_device(node.child("device")),
      .link = read_link(node.child("link")),
  };
  const std::int64_t pages = params.device.channels * params.device.banks;
  node.check("capacity", params.capacity.count() / pages >= params.device.page.count(),
             "must hold at least one page in each of " + std::to_string(pages) + " banks");
  node.reject_unknown_keys();
  return params;
}

void check_tier_table(const ConfigNode& node) {
  pass_labels(node);
  (void)read_channel(node);
  node.reject_unknown_keys();
}

void check_link_table(const ConfigNode& node) {
  pass_labels(node);
  (void)read_link_table(node);
  node.reject_unknown_keys();
}

}  // namespace reticle
