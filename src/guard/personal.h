// Personal data in text, found by form: what has a check digit is checked, what has none must stand where such data
// stands. Chinese and English; full-width digits and letters count as the plain ones. Linear in the text.
//
// It finds what people write, not everything: a name without a label before it is not found.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::guard {

enum class Personal {
  kEmail,
  kPhone,     // Chinese mobile and fixed lines, international numbers with +, North American forms
  kIdentity,  // resident identity numbers of China (GB 11643, with their check digit), US social security numbers
  kCard,      // payment cards: a known issuer's first digits, the right length, Luhn's sum (ISO/IEC 7812-1)
  kIban,      // ISO 13616: the country's length, 97's remainder
  kPassport,  // behind a label
  kName,      // behind a label: 姓名：, 收件人：, Name:
  kAddress,   // behind a label: 地址：, Address:, to the end of the line or clause
  kNetwork,   // IPv4 addresses
};

// "email" ...; and back, nothing for another word.
std::string_view Name(Personal kind);
std::optional<Personal> PersonalFrom(std::string_view name);
std::span<const Personal> AllPersonal();

struct PersonalSpan {
  Personal kind = Personal::kEmail;
  size_t begin = 0, end = 0;  // bytes of the text
};

// In the order of the text; spans do not overlap. Any bytes.
std::vector<PersonalSpan> FindPersonal(std::string_view text, std::span<const Personal> kinds = AllPersonal());

enum class MaskStyle {
  kLabel,      // [email]
  kShape,      // l*.***@*******.com, 138****5678: the first and the last characters stay
  kPseudonym,  // [email:3f2a91c0]: the same value under the same secret is the same, nobody can turn it back
};
struct MaskOptions {
  MaskStyle style = MaskStyle::kLabel;
  std::string secret = {};  // of kPseudonym; at least 16 bytes
};

// The text with the spans masked; the rest is untouched. REQUIRES: spans as FindPersonal gives them.
std::string MaskPersonal(std::string_view text, const std::vector<PersonalSpan>& spans,
                         const MaskOptions& options = {});

}  // namespace atelier::guard
