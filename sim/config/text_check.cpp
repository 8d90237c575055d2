// SPDX-License-Identifier: Apache-2.0
#include "sim/config/text_check.hpp"

#include <cstddef>

namespace reticle {

namespace {
unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Bytes of the UTF-8 sequence at `i`; 0 when malformed. Overlong forms and surrogates are
/// malformed [RFC 3629 section 4].
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const unsigned char lead = byte_at(text, i);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2  // bytes of a character [RFC 3629]
                             : lead >= 0xe0 && lead <= 0xef ? 3  // likewise, three
                             : lead >= 0xf0 && lead <= 0xf4 ? 4  // likewise, four
                                                            : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte_at(text, i + k) & 0xc0) != 0x80) return 0;
  const unsigned char second = byte_at(text, i + 1);
  const bool malformed = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                         (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return malformed ? 0 : length;
}

std::string hex(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};  // four bits a digit
}
}  // namespace

std::optional<TextProblem> text_problem(std::string_view text) {
  std::int64_t line = 1;
  std::int64_t column = 1;
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char byte = byte_at(text, i);
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    const std::size_t length = sequence_length(text, i);
    if (control || length == 0)
      return TextProblem{line, column, "not a text: byte " + hex(byte) + " is not allowed"};
    column = byte == '\n' ? 1 : column + 1;
    line += byte == '\n' ? 1 : 0;
    i += length;
  }
  return std::nullopt;
}

}  // namespace reticle
