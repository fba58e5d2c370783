#include "text/jinja.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "base/str.h"

namespace atelier::text {
namespace {

std::string Render(std::string_view source, const Json& context = Json::object(), const RenderOptions& options = {}) {
  return Template::Parse(source, "t").Render(context, options);
}

Error FailureOf(std::string_view source, const Json& context = Json::object(), const RenderOptions& options = {}) {
  try {
    Render(source, context, options);
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kInternal, "no failure");
}

TEST(Jinja, AFailureNamesTemplateAndLine) {
  EXPECT_STREQ(FailureOf("a\n\n{{ raise_exception('no tools here') }}").what(), "t:3: no tools here");
  EXPECT_EQ(FailureOf("{{ 1 +").code(), Code::kInvalidInput);
  EXPECT_STREQ(FailureOf("a\n{{ 1 + }}").what(), "t:2: expected an expression, found }}");
  EXPECT_STREQ(FailureOf("\n{% include 'x' %}").what(),
               "t:2: {% include %} is refused: a template reads no other templates");
  EXPECT_STREQ(FailureOf("{{ a.b }}").what(), "t:1: 'a' is undefined");
  EXPECT_EQ(FailureOf("{{ 'x' }}", Json::array()).code(), Code::kInvalidInput);
}

TEST(Jinja, HtmlEscapesWhatIsNotSafe) {
  RenderOptions html;
  html.html_escape = true;
  const Json context = {{"a", "<b>&'\""}};
  EXPECT_EQ(Render("<i>{{ a }}</i>{{ a | safe }}", context, html), "<i>&lt;b&gt;&amp;&#39;&#34;</i><b>&'\"");
  EXPECT_EQ(Render("{% macro m(x) %}<p>{{ x }}</p>{% endmacro %}{{ m(a) }}", context, html),
            "<p>&lt;b&gt;&amp;&#39;&#34;</p>");
  EXPECT_EQ(Render("{{ ['<', '<'|safe]|join('&') }} {{ a ~ ('<'|safe) }}", {{"a", ">"}}, html), "&lt;&amp;< &gt;<");
  EXPECT_EQ(Render("{{ {'k': '<'} }}", context, html), "{&#39;k&#39;: &#39;&lt;&#39;}");
}

TEST(Jinja, TheClockIsGiven) {
  RenderOptions options;
  options.now_unix_millis = 1783933503000;
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(Render("{{ strftime_now('%Y-%m-%d %H:%M:%S|%f') }}", Json::object(), options),
            "2026-07-13 09:05:03|000000");
}

TEST(Jinja, ATemplateRendersManyTimes) {
  const Template t = Template::Parse(
      "{% set ns = namespace(n=0) %}{% for i in x %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "t");
  EXPECT_EQ(t.Render({{"x", {1, 2}}}), "3");
  EXPECT_EQ(t.Render({{"x", {1, 2, 3}}}), "6");
}

// Each of these would run, grow or recurse without end.
TEST(Jinja, HostileTemplatesEndSoon) {
  const std::string deep(100000, '(');
  const std::string nots = Cat("{{ ", std::string(400000, '-'), "1 }}");
  std::string attributes = "{{ a";
  for (int i = 0; i < 100000; ++i) attributes += ".a";
  attributes += " }}";
  std::string ifs;
  for (int i = 0; i < 20000; ++i) ifs += "{% if a %}";
  std::string sums = "{{ 1";
  for (int i = 0; i < 100000; ++i) sums += "+1";
  sums += " }}";
  std::string branches;
  for (int i = 0; i < 20000; ++i) branches += Cat("{% if v", i, " %}{% set w", i, " = 1 %}{% endif %}");
  branches += "{{ 1/0 }}";
  std::string many;
  for (int i = 0; i < 20000; ++i) many += Cat("{% set w", i, " = 1 %}");
  many += "{% for i in range(100000) %}{% for j in range(100000) %}{{ w19999 }}{% endfor %}{% endfor %}";
  const std::string cases[] = {
      "{{ 'a' * 1000000000 }}",
      "{{ [0] * 1000000000 }}",
      "{{ 'ab' * 9223372036854775807 }}",
      "{% for i in range(99999999999) %}x{% endfor %}",
      "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
      "{% for i in range(100000) %}{% for j in range(100000) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% "
      "endfor %}{% endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m(n) %}{{ m(n) ~ m(n) }}{% endmacro %}{{ m(1) }}",
      "{% macro m() %}{% for i in range(3) %}{% if true %}{{ [m()]|join }}{% endif %}{% endfor %}{% endmacro %}{{ m() "
      "}}",
      "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
      "{% set ns = namespace(l=[]) %}{% for i in range(90000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson "
      "}}",
      "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(90) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, "
      "ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
      "{% set ns = namespace(s='ab') %}{% for i in range(90) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
      "{% set ns = namespace(s='ab') %}{% for i in range(90) %}{% set ns.s = ns.s|replace('', ns.s) %}{% endfor %}",
      "{% set ns = namespace(s=[1,2]) %}{% for i in range(90) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=[1,2]) %}{% for i in range(90000) %}{% set ns.s = ns.s|map('string') %}{% endfor %}{{ "
      "ns.s|list }}",
      "{% set ns = namespace() %}{% set ns.n = ns %}{{ ns }}",
      "{{ 'x'.ljust(99999999999) }}",
      "{{ 'x'|center(99999999999) }}",
      "{{ '%99999999999d' % 1 }}",
      "{{ '{:99999999999}'.format(1) }}",
      "{{ '\\t'.expandtabs(99999999999) }}",
      "{{ 'x\\ny'|indent(99999999999) }}",
      "{{ [1]|batch(99999999999, 0)|list }}",
      "{{ [1]|slice(99999999999)|list }}",
      "{{ 2 ** 99999 }}",
      "{{ 9 ** 9 ** 9 ** 9 }}",
      "{{ [1,2]|tojson(indent=99999999999) }}",
      "{{ ('ab' * 1000000).split('b')|map('list')|list|length }}{% for i in range(99999) %}{{ ('ab' * "
      "1000000).split('b')|length }}{% endfor %}",
      "{% set s = 'a' * 8000000 %}{% for i in range(9999) %}{{ s.rfind('b' ~ s[:4000000]) }}{% endfor %}",
      "{% set s = 'a' * 8000000 %}{% for i in range(9999) %}{{ s == s ~ '' }}{% endfor %}",
      "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = ns.l + ['x' * 1000000] %}{% endfor %}",
      "{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% endcall %}{% endmacro %}{{ "
      "n() }}",
      Cat("{{ ", deep, " }}"),
      Cat("{{ ", std::string(100000, '['), " }}"),
      nots,
      attributes,
      ifs,
      sums,
      branches,
      many,
      Cat("{{ ", std::string(100000, '{'), " }}"),
      Cat("{{ a ", std::string(3000000, '"'), " }}"),
      std::string(3000000, '{'),
  };
  for (const std::string& source : cases) {
    const auto start = std::chrono::steady_clock::now();
    const Error error = FailureOf(source, {{"a", nullptr}});
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    EXPECT_TRUE(error.code() == Code::kResourceExhausted || error.code() == Code::kInvalidInput)
        << source.substr(0, 200) << " gives " << error.what();
    EXPECT_LT(std::string(error.what()).size(), 400u) << source.substr(0, 200);
    if (std::getenv("ATELIER_SHOW_TIMES")) {
      std::printf("%7.1f ms  %s  %s\n", seconds * 1e3, Quote(source, 90).c_str(), error.what());
    }
  }
}

}  // namespace
}  // namespace atelier::text
