// What all pages share: one look, no scripts, nothing from elsewhere, all text escaped.
#pragma once

#include <string>
#include <string_view>

namespace atelier::report {

// Text for a page, at most `most` bytes of it: escaped, valid UTF-8, control characters as U+FFFD. Put it into <bdi>
// where it comes from outside, so that directions which it may turn stay inside.
std::string Html(std::string_view text, size_t most = 2000);

// A name from outside for a page, in one line: as charts show it, at most about 60 letters or 40 Chinese characters.
std::string HtmlName(std::string_view name);

// Up to <body>, with the style: tables; .n numbers, .v a value with its count, .bar, .big, section.f two columns; .flow
// a bar of parts .in, .changed and .dropped; .k a table of few columns; .w narrow, .s samples, with del and ins;
// .charts the pictures of chart.h.
std::string PageHead(std::string_view title, bool chinese);
// What ends it.
std::string PageEnd();

}  // namespace atelier::report
