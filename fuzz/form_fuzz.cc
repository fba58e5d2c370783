// What rating forms are made of and what comes back from them, by the first byte: a rubric, a page, saved ratings, a
// judge's answer. Only Error may come out, and what was read is what it promises.
#include <cstdlib>

#include "base/error.h"
#include "data/csv.h"
#include "evaluate/form_ratings.h"
#include "evaluate/rating_form.h"
#include "operators/judge_answer.h"

namespace {

using namespace atelier;
using namespace atelier::evaluate;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::vector<data::Record> Rows(std::string_view text) {
  const data::CsvTable table = data::ParseCsv(text, "fuzz.csv");
  std::vector<data::Record> rows;
  for (const data::CsvRow& row : table.rows) {
    data::Record record{Json::object(), row.line};
    for (size_t i = 0; i < row.cells.size(); ++i) record.fields[table.header[i]] = row.cells[i];
    rows.push_back(std::move(record));
  }
  return rows;
}

// A page holds whatever the items hold, and reads back as the form that it is of.
void Page(std::string_view text) {
  const std::vector<data::Record> rows = Rows(text);
  if (rows.empty() || rows[0].fields.empty()) return;
  FormRubric rubric;
  rubric.show = {rows[0].fields.begin().key()};
  rubric.criteria.push_back({"c", {"1", "2"}, {}, {}, {}, {}});
  const RatingForm form = MakeForm(rubric, rows, "fuzz.csv", rows.size() % 2 == 0, 1);
  const std::string page = FormPage(form, true);
  const FormKey key = ReadFormPage(page, "fuzz.html");
  Require(key.hash == form.hash && key.items.size() == form.items.size());
  size_t scripts = 0;
  for (size_t at = page.find("</script"); at != std::string::npos; at = page.find("</script", at + 1)) ++scripts;
  Require(scripts == 3);
}

void Saved(std::string_view text) {
  const FormRatings ratings = ReadFormRatings({{"fuzz.csv", Rows(text)}}, std::nullopt, {}, 1);
  Require(!ratings.criteria.empty() && !ratings.raters.empty());
  for (const CriterionRatings& one : ratings.criteria) {
    Require(one.ratings.items() == ratings.items.size());
    for (const int32_t value : one.ratings.values)
      Require(value >= -1 && value < static_cast<int32_t>(one.ratings.categories.size()));
  }
}

void Answer(std::string text) {
  const std::vector<operators::Criterion> criteria = {{"c", {"1", "2", "3"}, {1, 2, 3}, "", "", 1}};
  artefact::Generated generated;
  generated.text = std::move(text);
  std::string why;
  const auto answer = operators::ReadAnswer(generated, criteria, "why", generated.text.size() % 2 == 0, &why);
  Require(answer.has_value() == why.empty() && why.find('\n') == std::string::npos);
  if (answer) Require(answer->places.at(0) < 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 5) {
      case 0: ReadFormRubric(Table::Parse(text, "fuzz.toml")); break;
      case 1: ReadFormPage(text, "fuzz.html"); break;
      case 2: Page(text); break;
      case 3: Saved(text); break;
      default: Answer(std::string(text)); break;
    }
  } catch (const Error&) {
  }
  return 0;
}
