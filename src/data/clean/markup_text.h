// Plain text out of text with HTML in it, and out of mail.
#pragma once

#include <string>
#include <string_view>

namespace atelier::data::clean {

// Removes tags, comments, and script and style elements with what they hold; block elements and <br> become a line
// feed. A '<' that begins nothing of the kind stays: "a < b", "<3". Total: any bytes are text.
void StripTags(std::string_view text, std::string* out);

// &amp; &#20013; &#x4e2d; and the named characters of HTML 4, with the semicolon. Numbers as HTML 5 has them:
// Windows-1252 for 0x80..0x9F, U+FFFD for NUL, surrogates and what is beyond Unicode.
void DecodeEntities(std::string_view text, std::string* out);

// http://, https://, ftp:// and www. addresses, and mail addresses, replaced by `mark`. An address ends at white space,
// at < > " and at characters that are not ASCII; a mark of punctuation at its end belongs to the sentence.
void ReplaceUrls(std::string_view text, std::string_view mark, std::string* out);
void ReplaceMails(std::string_view text, std::string_view mark, std::string* out);

// `text` up to a mail's footer: a line "-- ", "Sent from my ...", "发自我的...", "-----Original Message-----" and its
// kin; and without lines that are quoted by '>'.
void StripMail(std::string_view text, std::string* out);

}  // namespace atelier::data::clean
