#include "evaluate/rating_form.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/form_ratings.h"

namespace atelier::evaluate {
namespace {

constexpr std::string_view kRubric = R"(title = { zh = "评分 </title><b>", en = "Rate" }
show = ["name", "features"]
lists = ["features"]
id = "id"
system = "by"
names = { name = { zh = "名称" } }
[[criterion]]
name = "clear"
scale = [1, 5]
label = { zh = "通顺", en = "Clear" }
[[criterion]]
name = "总评"
labels = ["差", "好"]
)";

FormRubric Rubric(std::string_view text = kRubric) { return ReadFormRubric(Table::Parse(text, "rubric.toml")); }

std::vector<data::Record> Items() {
  return {
      {{{"id", "a"}, {"by", "phrases"}, {"name", "</script><script>alert(1)</script>"}, {"features", {"<!--", "&"}}},
       2},
      {{{"id", "__proto__"},
        {"by", "secret-model"},
        {"name", "\xff broken \xe2\x80\xa8 \x01 \xe2\x80\xae  👩‍👩‍👧"},
        {"features", Json::array()}},
       3}};
}

RatingForm Form(bool blind = false, uint64_t seed = 1) { return MakeForm(Rubric(), Items(), "items.csv", blind, seed); }

std::string LineOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return e.Line();
  }
  return "nothing was thrown";
}

size_t Count(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(RatingFormTest, NothingOfAnItemIsMarkup) {
  const std::string page = FormPage(Form(), true);
  EXPECT_EQ(Count(page, "<script"), 3U) << "words, data, and the script";
  EXPECT_EQ(Count(page, "</script>"), 3U);
  EXPECT_EQ(Count(page, "</title>"), 1U);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  EXPECT_EQ(page.find("\xe2\x80\xa8"), std::string::npos);
  EXPECT_EQ(page.find('\x01'), std::string::npos);
  EXPECT_EQ(page.find('\xff'), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
}

TEST(RatingFormTest, ReadsItsOwnPageAndNoOther) {
  const RatingForm form = Form();
  for (const bool chinese : {false, true}) {
    const FormKey key = ReadFormPage(FormPage(form, chinese), "form.html");
    EXPECT_EQ(key.hash, form.hash);
    EXPECT_EQ(key.items, (std::vector<std::string>{"a", "__proto__"}));
    ASSERT_EQ(key.criteria.size(), 2U);
    EXPECT_EQ(key.criteria[1].answers, (std::vector<std::string>{"差", "好"}));
  }
  std::string changed = FormPage(form, true);
  changed.replace(changed.find("alert(1)"), 8, "alert(2)");
  EXPECT_NE(LineOf([&] { ReadFormPage(changed, "f.html"); }).find("f.html: was changed"), std::string::npos);
  EXPECT_NE(LineOf([] { ReadFormPage("<html>", "f.html"); }).find("is no rating form"), std::string::npos);
  const std::string start = "<script type=\"application/json\" id=\"form\">";
  EXPECT_NE(LineOf([&] { ReadFormPage(start + "{}", "f.html"); }).find("ends too soon"), std::string::npos);
  EXPECT_NE(LineOf([&] { ReadFormPage(start + "{}</script>", "f.html"); }).find("damaged"), std::string::npos);
  EXPECT_NE(LineOf([&] { ReadFormPage(start + "[[</script>", "f.html"); }).find("f.html"), std::string::npos);
}

TEST(RatingFormTest, BlindTellsNeitherSystemNorId) {
  const RatingForm blind = Form(true, 7);
  const std::string page = FormPage(blind, false);
  EXPECT_EQ(page.find("secret-model"), std::string::npos);
  EXPECT_EQ(page.find("__proto__\",\"fields"), std::string::npos);
  EXPECT_EQ(blind.items[1].source, "__proto__");
  EXPECT_EQ(blind.items[1].system, "secret-model");
  EXPECT_EQ(blind.items[1].id.size(), 16U);
  EXPECT_NE(blind.items[1].id, Form(true, 8).items[1].id) << "codes of another seed are others";
  EXPECT_EQ(page.find("\"seed\":\"7\""), std::string::npos) << "who knows the seed can try ids";
  const std::vector<std::string> listed = ReadFormPage(page, "f.html").items;
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end())) << "the file's order may tell";
  EXPECT_NE(FormPage(Form(), false).find("secret-model"), std::string::npos);
}

TEST(RatingFormTest, TheHashIsOfItemsAndAnswers) {
  const std::string hash = Form().hash;
  EXPECT_EQ(MakeForm(Rubric(ReplaceAll(kRubric, "通顺", "流畅")), Items(), "f", false, 9).hash, hash) << "other words";
  EXPECT_NE(MakeForm(Rubric(ReplaceAll(kRubric, "[1, 5]", "[1, 7]")), Items(), "f", false, 1).hash, hash);
  auto items = Items();
  items[0].fields["name"] = "another";
  EXPECT_NE(MakeForm(Rubric(), items, "f", false, 1).hash, hash);
}

TEST(RatingFormTest, RefusesWithThePlace) {
  auto twice = Items();
  twice[1].fields["id"] = "a";
  EXPECT_NE(
      LineOf([&] { MakeForm(Rubric(), twice, "i.csv", false, 1); }).find("i.csv:3: the item 'a' stands in line 2"),
      std::string::npos);
  auto nameless = Items();
  nameless[1].fields["id"] = " ";
  EXPECT_NE(LineOf([&] { MakeForm(Rubric(), nameless, "i.csv", false, 1); }).find("i.csv:3: "), std::string::npos);
  EXPECT_NE(LineOf([&] { MakeForm(Rubric(), {}, "i.csv", false, 1); }).find("holds no item"), std::string::npos);
  EXPECT_NE(LineOf([&] {
              MakeForm(Rubric(ReplaceAll(kRubric, "[\"name\", \"features\"]", "[\"name\", \"features\", \"nmae\"]")),
                       Items(), "i.csv", false, 1);
            }).find("did you mean 'name'"),
            std::string::npos);
  const std::pair<std::string, std::string> wrong[] = {
      {"show = [\"name\", \"features\"]", "show = []"},
      {"scale = [1, 5]", "scale = [5, 1]"},
      {"scale = [1, 5]", "scale = [1, 1000]"},
      {"scale = [1, 5]", "scale = [1, 5]\nlabels = [\"a\"]"},
      {"labels = [\"差\", \"好\"]", "labels = [\"差\"]"},
      {"labels = [\"差\", \"好\"]", "labels = [\"差\", \"差\"]"},
      {"name = \"总评\"", "name = \"clear\""},
      {"lists = [\"features\"]", "lists = [\"by\"]"},
      {"id = \"id\"", "idd = \"id\""},
      {"names = { name", "names = { nome"},
      {"system = \"by\"", "system = \"name\""},
  };
  for (const auto& [from, to] : wrong) {
    const std::string line = LineOf([&] { Rubric(ReplaceAll(kRubric, from, to)); });
    EXPECT_EQ(line.rfind("rubric.toml:", 0), 0U) << to << ": " << line;
  }
}

data::Record Row(size_t line, const std::string& form, const std::string& rater, const std::string& item,
                 const std::string& criterion, const std::string& value, const std::string& comment = "") {
  return {{{"form", form},
           {"rater", rater},
           {"item", item},
           {"criterion", criterion},
           {"value", value},
           {"comment", comment}},
          line};
}

TEST(FormRatingsTest, SeveralFilesBecomeATablePerCriterion) {
  const RatingForm form = Form();
  const FormKey key = ReadFormPage(FormPage(form, true), "f.html");
  const std::string& h = form.hash;
  const std::vector<RatedFile> files = {
      {"a.csv",
       {Row(2, h, "安娜", "a", "clear", "5"), Row(3, h, "安娜", "__proto__", "clear", "1", "好"),
        Row(4, h, "安娜", "a", "总评", "好")}},
      {"b.csv",
       {Row(2, h, "ben", "__proto__", "clear", "2"), Row(3, h, "ben", "a", "", "", "only a comment"),
        Row(4, h, "ben", "__proto__", "clear", "2")}}};
  const FormRatings got = ReadFormRatings(files, key, {});
  EXPECT_EQ(got.form, h);
  EXPECT_EQ(got.raters, (std::vector<std::string>{"安娜", "ben"}));
  EXPECT_EQ(got.items, (std::vector<std::string>{"a", "__proto__"}));
  EXPECT_EQ(got.comments, 2U);
  ASSERT_EQ(got.criteria.size(), 2U);
  EXPECT_EQ(got.criteria[0].ratings.categories, (std::vector<std::string>{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(got.criteria[0].ratings.values, (std::vector<int32_t>{4, -1, 0, 1}));
  EXPECT_TRUE(got.criteria[1].ratings.ordered);
  EXPECT_FALSE(ReadFormRatings(files, std::nullopt, {}).criteria[1].ratings.ordered);
}

TEST(FormRatingsTest, ACellThatLooksLikeAFormulaIsGuardedInCsv) {
  const std::string h = Form().hash;
  const FormRatings got =
      ReadFormRatings({{"a.csv", {Row(2, h, "'=anna", "a", "clear", "5"), Row(3, h, "''tis", "a", "clear", "4")}},
                       {"b.jsonl", {Row(1, h, "'=ben", "a", "clear", "5")}}},
                      std::nullopt, {});
  EXPECT_EQ(got.raters, (std::vector<std::string>{"=anna", "'tis", "'=ben"}));
}

TEST(FormRatingsTest, RefusesWithTheLine) {
  const RatingForm form = Form();
  const FormKey key = ReadFormPage(FormPage(form, true), "f.html");
  const std::string& h = form.hash;
  const auto says = [&](std::vector<data::Record> second, bool with_key = true) {
    return LineOf([&] {
      ReadFormRatings({{"a.csv", {Row(2, h, "anna", "a", "clear", "5")}}, {"b.csv", std::move(second)}},
                      with_key ? std::optional(key) : std::nullopt, {});
    });
  };
  EXPECT_EQ(says({Row(9, std::string(64, 'f'), "ben", "a", "clear", "5")}, false)
                .rfind("b.csv:9: rates the form 'ffffffffffff', a.csv:2 rates", 0),
            0U);
  EXPECT_EQ(says({Row(9, std::string(64, 'f'), "ben", "a", "clear", "5")})
                .rfind("b.csv:9: rates the form 'ffffffffffff', --form is", 0),
            0U);
  EXPECT_EQ(says({Row(9, h, "ben", "z", "clear", "5")}).rfind("b.csv:9: the form has no item 'z'", 0), 0U);
  EXPECT_EQ(says({Row(9, h, "ben", "a", "cleer", "5")}).rfind("b.csv:9: the form has no criterion 'cleer'", 0), 0U);
  EXPECT_EQ(
      says({Row(9, h, "ben", "a", "clear", "6")}).rfind("b.csv:9: 'ben' rated 'clear' '6', outside of its scale", 0),
      0U);
  EXPECT_EQ(
      says({Row(9, h, "ben", "a", "clear", "NaN")}, false).rfind("b.csv:9: 'ben' rated 'NaN', which is no finite", 0),
      0U);
  EXPECT_EQ(says({Row(9, h, "anna", "a", "clear", "4")})
                .rfind("b.csv:9: 'anna' rated 'clear' of the item 'a' '4', and '5' in a.csv:2", 0),
            0U);
  EXPECT_EQ(says({Row(9, h, "anna", "a", "clear", "5")}).rfind("a.csv, b.csv: hold the ratings of 'anna' alone", 0),
            0U);
  EXPECT_EQ(says({Row(9, h, "", "a", "clear", "5")}).rfind("b.csv:9: has no form, rater or item", 0), 0U);
  EXPECT_EQ(says({Row(9, h, "ben", "a", "clear", "")}).rfind("b.csv:9: has a criterion without a value", 0), 0U);
  EXPECT_EQ(says({}).rfind("b.csv: holds no ratings of a form", 0), 0U);
  EXPECT_NE(LineOf([&] {
              ReadFormRatings({{"a.csv", {Row(2, h, "anna", "a", "", "", "x")}}}, key, {});
            }).find("hold no rating"),
            std::string::npos);
}

}  // namespace
}  // namespace atelier::evaluate
