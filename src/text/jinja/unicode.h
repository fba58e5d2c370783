// Text by code point, as Python's str sees it, over UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::text::jinja {

// REQUIRES of all: valid UTF-8 (Repair makes it so). They stay within bounds whatever they are given.
int64_t CountPoints(std::string_view text);
size_t OffsetOf(std::string_view text, int64_t point);  // byte offset of the point-th code point; size() beyond the end
char32_t DecodeAt(std::string_view text, size_t* offset);  // moves past it
void AppendPoint(std::string* out, char32_t point);        // surrogates and what is no code point come out as U+FFFD
std::string Repair(std::string_view text);                 // every broken sequence becomes U+FFFD

bool IsSpace(char32_t point);      // str.isspace
bool IsLineBreak(char32_t point);  // str.splitlines
bool IsPrintable(char32_t point);  // str.isprintable, what repr() shows as it is
bool IsAlpha(char32_t point);
bool IsDecimal(char32_t point);
bool IsDigit(char32_t point);
bool IsNumeric(char32_t point);
bool IsUpper(char32_t point);
bool IsLower(char32_t point);
bool IsTitle(char32_t point);
bool IsWord(char32_t point);       // \w of Python's re
int DigitValue(char32_t point);    // of a decimal digit, -1 otherwise
bool IsNameStart(char32_t point);  // of an identifier
bool IsNamePart(char32_t point);

std::string Upper(std::string_view text);
std::string Lower(std::string_view text);
std::string TitleCase(char32_t point);
std::string FoldCase(std::string_view text);

// Linear time, whatever the texts; npos when absent.
size_t FindText(std::string_view text, std::string_view what, size_t from = 0);
size_t FindLastText(std::string_view text, std::string_view what);

}  // namespace atelier::text::jinja
