// facts: every number, unit and price of the copy stands on the sheet, and a price keeps what limits it ("80元起",
// "12元/月", "from $5").
#include <algorithm>

#include "base/str.h"
#include "evaluate/quantities.h"
#include "operators/checks/checks.h"

namespace atelier::operators {
namespace {

using evaluate::FindQuantities;
using evaluate::Quantity;

bool IsPrice(const Quantity& quantity) {
  return quantity.kind == "price" || quantity.kind == "usd" || quantity.kind == "euro" || quantity.kind == "gbp";
}

// A limit on a price: any of `marks` on the sheet asks for any of `kept` in the copy.
struct Limit {
  std::vector<std::string_view> marks, kept;
};
const std::vector<Limit>& Limits() {
  static const std::vector<Limit> limits = {
      {{"起"}, {"起"}},
      {{"/月", "每月", "一个月"}, {"/月", "每月", "一月", "一个月", "个月", "月费"}},
      {{"/年", "每年", "一年"}, {"/年", "每年", "一年", "年费"}},
      {{"/天", "每天", "/日", "每日"}, {"/天", "每天", "/日", "每日", "一天", "一日"}},
      {{"/晚", "每晚"}, {"/晚", "每晚", "一晚"}},
      {{"/节"}, {"/节", "每节", "一节"}},
      {{"/次"}, {"/次", "每次", "一次"}},
      {{"/人", "每人"}, {"/人", "每人", "人均", "一人", "一位", "每位"}},
      {{"/小时", "每小时"}, {"/小时", "每小时", "一小时", "一个小时"}},
      {{"/斤", "每斤"}, {"/斤", "每斤", "一斤"}},
      {{"from "}, {"from ", "starting at", "starts at", "start at", "and up"}},
      {{"/mo", "per month", "a month", "monthly"},
       {"/mo", "per month", "a month", "monthly", "each month", "every month"}},
      {{"/year", "/yr", "per year", "a year", "yearly"},
       {"/year", "/yr", "per year", "a year", "yearly", "annual", "each year"}},
      {{"/week", "/wk", "per week", "a week", "weekly"}, {"/week", "/wk", "per week", "a week", "weekly", "each week"}},
      {{"/day", "per day", "a day", "daily"}, {"/day", "per day", "a day", "daily", "each day"}},
      {{"/night", "per night", "a night", "nightly"}, {"/night", "per night", "a night", "nightly", "each night"}},
      {{"/hour", "/hr", "per hour", "an hour", "hourly"},
       {"/hour", "/hr", "per hour", "an hour", "hourly", "each hour"}},
      {{"/person", "per person", "a person"}, {"/person", "per person", "a person", "each", "a head", "a guest"}},
      {{" each"}, {"each", "apiece", "a piece", "every"}},
      {{"/class", "per class", "a class"}, {"/class", "per class", "a class", "each class"}},
      {{"/session", "per session"}, {"/session", "per session", "a session", "each session"}}};
  return limits;
}

class FactsCheck : public Check {
 public:
  explicit FactsCheck(std::string price_field) : price_field_(std::move(price_field)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const std::vector<Quantity> sheet = FindQuantities(SheetText(record));
    const std::string price = ToLowerAscii(SheetText(record, price_field_));
    for (const std::string& field : TextFields(candidate)) {
      const std::string text(OutputText(candidate, field));
      for (const Quantity& said : FindQuantities(text)) {
        const bool known =
            std::any_of(sheet.begin(), sheet.end(), [&](const Quantity& q) { return evaluate::SameQuantity(said, q); });
        if (!known && !CountsFeatures(said, text, record)) {
          return {Say(record, Cat("“", said.text, "”不在资料里"), Cat("'", said.text, "' is not on the sheet")), 0};
        }
        if (IsPrice(said)) {
          if (const std::string lost = LostLimit(price, ToLowerAscii(text)); !lost.empty()) {
            return {Say(record, Cat("价格丢了“", lost, "”"), Cat("the price lost its '", lost, "'")), 0};
          }
        }
      }
    }
    return {};
  }

 private:
  // "主要看三项：", "three reasons": counts what the sheet lists, so it may go up to that number.
  static bool CountsFeatures(const Quantity& said, const std::string& text, const recipe::Record& record) {
    if (said.kind != "count" || said.value < 1) return false;
    const auto features = record.input.find("features");
    if (features == record.input.end() || !features->is_array() || said.value > static_cast<double>(features->size()))
      return false;
    for (const std::string_view counter : {"项", "样", "条理由"}) {
      if (said.text.ends_with(counter) ||
          std::string_view(text).substr(said.begin).starts_with(Cat(said.text, counter)))
        return true;
    }
    const std::string rest = ToLowerAscii(std::string_view(text).substr(said.end, 12));
    for (const std::string_view noun : {" things", " reasons", " facts", " points", " words"}) {
      if (rest.starts_with(noun)) return true;
    }
    return false;
  }

  static std::string LostLimit(const std::string& price, const std::string& text) {
    const auto holds = [](const std::string& where) {
      return [&where](std::string_view part) { return where.find(part) != std::string::npos; };
    };
    for (const Limit& limit : Limits()) {
      const auto mark = std::find_if(limit.marks.begin(), limit.marks.end(), holds(price));
      if (mark != limit.marks.end() && std::none_of(limit.kept.begin(), limit.kept.end(), holds(text))) {
        return std::string(Trim(*mark));
      }
    }
    return "";
  }

  std::string price_field_;
};

}  // namespace

std::unique_ptr<Check> MakeFacts(Table& table, const recipe::StepContext&) {
  return std::make_unique<FactsCheck>(table.StringOr("price_field", "price"));
}

}  // namespace atelier::operators
