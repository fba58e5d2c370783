// Regular expressions as users write them, into Regulars: the part of ECMA-262 (flag u) that describes regular
// languages, which is also most of RE2.
//
// Characters are code points. Knows literals, `.` (anything but line ends), classes with ranges and negation, the
// escapes \d \D \w \W \s \S (ASCII digits and word characters), \p{...} \P{...} for the properties of PropertySet, \t
// \n \v \f \r \0 \xHH \uHHHH \u{H...} \cX and any escaped punctuation; groups (...) (?:...) (?<name>...) (?P<name>...);
// alternatives; ? * + {n} {n,} {n,m}, also with a lazy ?; ^ where nothing can come before it and $ where nothing can
// come after it. Throws kUnsupported with the byte for look-around, back-references, \b \B, flags, possessive loops and
// anchors elsewhere, for more than 4,096 bytes, 200 nested groups or counts above 10,000; kInvalidInput for what is
// malformed.
#pragma once

#include <string_view>

#include "runtime/constraint/regular.h"

namespace atelier::runtime {

struct RegexOptions {
  // The whole text must match; else some part of it must (JSON Schema's `pattern`).
  bool anchored = false;
  // Where Python's and ECMA's idea of \D \W \S differ, take what either says (to describe what must not match) instead
  // of what both say.
  bool wide = false;
};

Regulars::Id ParseRegex(Regulars* regulars, std::string_view pattern, const RegexOptions& options);

}  // namespace atelier::runtime
