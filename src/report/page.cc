#include "report/page.h"

#include "base/str.h"
#include "report/chart_canvas.h"
#include "text/unicode.h"

namespace atelier::report {
namespace {

constexpr const char* kStyle = R"(
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:2em auto;
max-width:70em;padding:0 1em;color:#222;background:#fff}
h1{margin:0}h2{margin:1.6em 0 .4em;border-bottom:1px solid #ccc}bdi{unicode-bidi:isolate}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3em .6em;border-bottom:1px solid #e5e5e5}
.n{text-align:right;font-variant-numeric:tabular-nums}
svg.spark{width:20em;max-width:100%;display:block}.spark rect{fill:#3b6ea5}.spark text{font-size:11px;fill:#666}
.charts{display:flex;flex-wrap:wrap;gap:1.5em;margin:1em 0}svg.chart{max-width:100%;height:auto;display:block}figure{margin:0;max-width:100%}
.v{display:flex;gap:.6em}.v span:first-child{overflow-wrap:anywhere;flex:1}
.bar{background:#dbe6f1;height:.5em}.big{font-size:1.1em;color:#444}
code,pre{overflow-wrap:anywhere;white-space:pre-wrap;background:#f6f6f6;padding:.1em .3em}
section.f{display:grid;grid-template-columns:1fr 1fr;gap:1em;border-top:1px solid #e5e5e5;padding:.8em 0}
section.f>div{min-width:0}
.flow{display:flex;height:1em;background:#f3f3f3;min-width:8em}.flow span{min-width:1px}
.key span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
.in{background:#dbe6f1}.changed{background:#3b6ea5}.dropped{background:#b5483a}
table.k{width:auto;min-width:20em;margin:1em 0}
.w{white-space:nowrap;width:1%}.s{overflow-wrap:anywhere;white-space:pre-wrap}.s bdi{display:block;overflow:hidden}
del{background:#f7d4cf;text-decoration:line-through}ins{background:#cfead6;text-decoration:none}
del+ins{margin-left:.15em}del i,ins i{font-size:.75em;opacity:.8;margin:0 .15em}
@media(max-width:45em){section.f{display:block}}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}code,pre,.flow{background:#222}
td,th,section.f{border-color:#333}.bar,.in{background:#2b4a6b}.big{color:#bbb}
.changed{background:#6fa3da}.dropped{background:#d0695b}del{background:#5c2323}ins{background:#1f4a2a}
.chart .ink{fill:#ddd}.chart .soft{fill:#aaa}.chart .axis{stroke:#999}.chart .grid{stroke:#333}.chart .mark{stroke:#ddd}
.chart .s0{fill:#5aa9e6}.chart .l0{stroke:#5aa9e6}.chart .s1{fill:#f0803c}.chart .l1{stroke:#f0803c}
.chart .s2{fill:#35c49a}.chart .l2{stroke:#35c49a}.chart .s3{fill:#e0a0c4}.chart .l3{stroke:#e0a0c4}
.chart .s6{fill:#ccc}.chart .l6{stroke:#ccc}}
)";

}  // namespace

std::string Html(std::string_view text, size_t most) {
  std::string out;
  const std::string clean = text::SanitizeUtf8(text.substr(0, most));
  for (const char c : clean) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        if ((static_cast<unsigned char>(c) < 0x20 || c == 0x7F) && c != '\n' && c != '\t') {
          out += "&#xFFFD;";
        } else {
          out.push_back(c);
        }
    }
  }
  if (most < text.size()) out += "…";
  return out;
}

std::string HtmlName(std::string_view name) { return Cat("<bdi>", SvgText(FitText(name, 480, kFontSize)), "</bdi>"); }

std::string PageHead(std::string_view title, bool chinese) {
  return Cat("<!doctype html>\n<html lang=\"", chinese ? "zh-CN" : "en",
             "\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
             "'unsafe-inline'; img-src data:\"><title>",
             Html(title), "</title><style>", kStyle, "</style></head><body>\n");
}

std::string PageEnd() { return "</body></html>\n"; }

}  // namespace atelier::report
