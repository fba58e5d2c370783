#include "experiment/measure_text.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "recipe/input.h"
#include "text/unicode.h"

namespace atelier::experiment {
namespace {

// An assertion about the text of some output fields. Where there is no output it does not hold, and says why there is
// none.
class TextAssertion : public Assertion {
 public:
  TextAssertion(std::vector<std::string> of, const std::string& signature)
      : Assertion(Cat("of:", Join(of, ","), "|", signature)), of_(std::move(of)) {}

 protected:
  virtual Note CheckText(const Case& item, const Output& output, const std::string& text) const = 0;

 private:
  Note Check(const Case& item, const Output& output) const final {
    if (!output.there()) return output.NoOutput();
    return CheckText(item, output, TextOf(output, of_));
  }
  std::vector<std::string> of_;
};

// One that looks for something.
class WantedAssertion : public TextAssertion {
 public:
  WantedAssertion(std::vector<std::string> of, const std::string& signature, Wanted wanted)
      : TextAssertion(std::move(of), Cat(signature, "|", Describe(wanted))), wanted_(std::move(wanted)) {}
  // That what is looked for is there to look for.
  void Foresee(std::span<const Case* const> cases, Services&) const override {
    for (const Case* item : cases) WantedOf(wanted_, *item);
  }

 protected:
  const Wanted wanted_;
};

class Contains : public WantedAssertion {
 public:
  Contains(std::vector<std::string> of, Wanted wanted, bool any)
      : WantedAssertion(std::move(of), any ? "contains|any:yes" : "contains|any:no", std::move(wanted)), any_(any) {}

 private:
  Note CheckText(const Case& item, const Output&, const std::string& text) const override {
    const std::string folded = Folded(wanted_, text);
    std::vector<std::string> missing;
    const std::vector<std::string> all = WantedOf(wanted_, item);
    for (const std::string& one : all) {
      if (folded.find(Folded(wanted_, one)) == std::string::npos) missing.push_back(Quote(one));
    }
    if (missing.empty() || (any_ && missing.size() < all.size())) return {};
    return {Cat("does not say ", Join(missing, any_ ? " or " : ", ")),
            Cat("没有说 ", Join(missing, any_ ? " 或 " : "、"))};
  }
  bool any_;
};

class Excludes : public WantedAssertion {
 public:
  Excludes(std::vector<std::string> of, Wanted wanted)
      : WantedAssertion(std::move(of), "excludes", std::move(wanted)) {}

 private:
  Note CheckText(const Case& item, const Output&, const std::string& text) const override {
    const std::string folded = Folded(wanted_, text);
    for (const std::string& one : WantedOf(wanted_, item)) {
      if (folded.find(Folded(wanted_, one)) != std::string::npos) {
        return {Cat("says ", Quote(one)), Cat("说了 ", Quote(one))};
      }
    }
    return {};
  }
};

class Equals : public WantedAssertion {
 public:
  Equals(std::vector<std::string> of, Wanted wanted) : WantedAssertion(std::move(of), "equals", std::move(wanted)) {}

 private:
  Note CheckText(const Case& item, const Output&, const std::string& text) const override {
    const std::string folded(Trim(Folded(wanted_, text)));
    std::vector<std::string> all;
    for (const std::string& one : WantedOf(wanted_, item)) {
      if (folded == Trim(Folded(wanted_, one))) return {};
      all.push_back(Quote(one));
    }
    return {Cat("is ", Quote(text), ", not ", Join(all, " or ")),
            Cat("是 ", Quote(text), "，不是 ", Join(all, " 或 "))};
  }
};

class Pattern : public TextAssertion {
 public:
  Pattern(std::vector<std::string> of, const std::string& pattern, bool whole, const Table& table)
      : TextAssertion(std::move(of), Cat("matches|whole:", whole ? "yes|" : "no|", pattern)), whole_(whole) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(8 << 20);
    pattern_ = std::make_unique<RE2>(pattern, options);
    if (!pattern_->ok()) {
      table.Refuse("pattern", Cat("no regular expression: ", pattern_->error()), "RE2's syntax");
    }
  }

 private:
  Note CheckText(const Case&, const Output&, const std::string& text) const override {
    const bool held = whole_ ? RE2::FullMatch(text, *pattern_) : RE2::PartialMatch(text, *pattern_);
    if (held) return {};
    return {Cat(Quote(text), " does not match ", pattern_->pattern()),
            Cat(Quote(text), " 不符合 ", pattern_->pattern())};
  }
  std::unique_ptr<RE2> pattern_;
  bool whole_;
};

class Length : public TextAssertion {
 public:
  Length(std::vector<std::string> of, int64_t least, int64_t most)
      : TextAssertion(std::move(of), Cat("length|", least, "-", most)), least_(least), most_(most) {}

 private:
  Note CheckText(const Case&, const Output&, const std::string& text) const override {
    const auto chars = static_cast<int64_t>(text::CountChars(text));
    if (chars < least_)
      return {Cat(chars, " characters, at least ", least_, " are wanted"), Cat(chars, " 个字，至少要 ", least_, " 个")};
    if (chars > most_)
      return {Cat(chars, " characters, at most ", most_, " are wanted"), Cat(chars, " 个字，最多 ", most_, " 个")};
    return {};
  }
  int64_t least_, most_;
};

class Language : public TextAssertion {
 public:
  Language(std::vector<std::string> of, std::string is)
      : TextAssertion(std::move(of), Cat("language|", is)), is_(std::move(is)) {}

 private:
  Note CheckText(const Case&, const Output& output, const std::string& text) const override {
    const std::u32string chars = text::DecodeUtf8(text);
    if (std::none_of(chars.begin(), chars.end(), text::IsLetter)) {
      return {Cat("has no word of any language: ", Quote(text)), Cat("没有任何语言的字：", Quote(text))};
    }
    const std::string found = recipe::DetectLanguage(text), &wanted = is_.empty() ? output.lang : is_;
    if (found == wanted) return {};
    return {Cat("is ", found, ", not ", wanted, ": ", Quote(text)),
            Cat("是 ", found, "，不是 ", wanted, "：", Quote(text))};
  }
  std::string is_;
};

}  // namespace

std::unique_ptr<Measure> MakeContains(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  const bool any = table.BoolOr("any", false);
  return std::make_unique<Contains>(std::move(of), ReadWanted(table), any);
}

std::unique_ptr<Measure> MakeExcludes(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  return std::make_unique<Excludes>(std::move(of), ReadWanted(table));
}

std::unique_ptr<Measure> MakeEquals(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  return std::make_unique<Equals>(std::move(of), ReadWanted(table));
}

std::unique_ptr<Measure> MakeMatches(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  const bool whole = table.BoolOr("whole", false);
  return std::make_unique<Pattern>(std::move(of), table.String("pattern"), whole, table);
}

std::unique_ptr<Measure> MakeLength(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  const int64_t least = table.IntOr("least_chars", 0, 0, 1'000'000);
  return std::make_unique<Length>(std::move(of), least, table.IntOr("most_chars", 1'000'000, least, 1'000'000));
}

std::unique_ptr<Measure> MakeLanguage(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  std::string is = table.StringOr("is", "");
  if (!is.empty() && is != "zh" && is != "en") table.Refuse("is", "is zh or en");
  return std::make_unique<Language>(std::move(of), std::move(is));
}

}  // namespace atelier::experiment
