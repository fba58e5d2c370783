#include "app/atelier/print_ranker.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "app/atelier/text_table.h"
#include "base/str.h"
#include "rank/features.h"
#include "report/chart.h"
#include "report/page.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// The file's `trained` is for people and free in its form: what is missing is passed over.
const Json& At(const Json& json, const char* key) {
  static const Json kNothing;
  const auto at = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && at != json.end() ? *at : kNothing;
}

double NumberAt(const Json& json, const char* key) {
  const Json& value = At(json, key);
  return value.is_number() ? value.get<double>() : NAN;
}

std::string Shown(double value, int decimals = 3) { return std::isfinite(value) ? FormatFixed(value, decimals) : "-"; }

struct Effect {
  std::string name;
  double mean = 0, deviation = 1, effect = 0;
};

std::vector<Effect> Effects(const artefact::RankerFile& ranker) {
  std::vector<Effect> effects;
  for (const artefact::RankerFeature& one : ranker.features)
    effects.push_back({one.name, one.mean, one.deviation, ranker.temperature * one.weight});
  std::stable_sort(effects.begin(), effects.end(),
                   [](const Effect& a, const Effect& b) { return std::fabs(a.effect) > std::fabs(b.effect); });
  return effects;
}

std::string Meaning(const std::string& name, bool chinese) {
  const rank::Feature* feature = rank::FindFeature(name);
  return feature == nullptr ? chinese ? "随选项给出" : "what the option brings" : feature->meaning.In(chinese);
}

// The ranker first, then what costs nothing.
std::vector<std::pair<std::string, const Json*>> Orders(const Json& held) {
  std::vector<std::pair<std::string, const Json*>> orders = {{"ranker", &At(held, "ranker")}};
  if (const Json& others = At(held, "baselines"); others.is_object()) {
    for (const auto& item : others.items()) orders.emplace_back(ReplaceAll(item.key(), "_", " "), &item.value());
  }
  return orders;
}

std::string OrderName(const std::string& name, bool chinese) {
  if (!chinese) return name;
  if (name == "ranker") return "排序器";
  if (name == "random") return "随机";
  if (name == "first shown") return "最先展示";
  return name == "longest" ? "最长" : name;
}

std::string EncoderLine(const artefact::RankerFile& ranker, bool chinese) {
  if (ranker.encoder.empty()) return "";
  const double effect = NumberAt(ranker.trained, "encoder_effect");
  const std::string what = ranker.product_weights.empty() ? ""
                           : chinese                      ? "（含与上下文的乘积）"
                                                          : " and their products with the context's";
  return chinese ? Cat(ranker.encoder, " 的 ", ranker.text_weights.size(), " 维向量", what, "：一个标准差的对数几率为 ",
                       Shown(effect))
                 : Cat("the vectors of ", ranker.encoder, " [", ranker.text_weights.size(), "]", what,
                       ": log-odds of one deviation ", Shown(effect));
}

}  // namespace

void PrintRanker(const artefact::RankerFile& ranker) {
  TextTable effects({"FEATURE", "MEAN", "DEVIATION", "ODDS PER DEVIATION", "WHAT IT IS"});
  for (const Effect& one : Effects(ranker))
    effects.Add({one.name, Shown(one.mean, 2), Shown(one.deviation, 2), Cat("x ", Shown(std::exp(one.effect), 2)),
                 Meaning(one.name, false)});
  if (!ranker.features.empty()) std::cout << effects.Text();
  if (!ranker.encoder.empty()) std::cout << text::ForTerminal(EncoderLine(ranker, false)) << "\n";
  const Json& held = At(ranker.trained, "held_out");
  if (!held.is_object()) return;
  TextTable orders({"ORDER", "PAIRS RIGHT", "+-", "NDCG", "MRR"});
  for (const auto& [name, order] : Orders(held)) {
    orders.Add({name, Shown(NumberAt(*order, "pair_accuracy")), Shown(NumberAt(*order, "standard_error")),
                Shown(NumberAt(*order, "ndcg")), Shown(NumberAt(*order, "mrr"))});
  }
  std::cout << "\non " << Shown(NumberAt(held, "choices"), 0) << " choices of " << Shown(NumberAt(held, "groups"), 0)
            << " groups that were held out:\n"
            << orders.Text() << "calibration error " << Shown(NumberAt(held, "calibration_error_before")) << ", "
            << Shown(NumberAt(held, "calibration_error_after")) << " once scores are multiplied by "
            << Shown(ranker.temperature) << "; log loss of pairs " << Shown(NumberAt(held, "pair_log_loss"))
            << " (a coin: 0.693)\n";
}

report::Report RankerReport(const artefact::RankerFile& ranker, bool chinese) {
  const auto say = [&](const char* en, const char* zh) { return chinese ? zh : en; };
  const Json& held = At(ranker.trained, "held_out");
  report::Report made;
  made.title = say("A ranker, and what it is worth", "排序器：学到了什么，值多少");
  made.chinese = chinese;
  const auto frame = [&](const char* title) {
    report::Frame out;
    out.title = title;
    out.chinese = chinese;
    return out;
  };
  report::Bars order;
  order.frame = frame(say("Pairs in the right order, held out", "留出部分排对的比例"));
  order.series = {say("share", "比例")};
  order.low = 0;
  order.high = 1;
  for (const auto& [name, one] : Orders(held)) {
    const double share = NumberAt(*one, "pair_accuracy"), error = NumberAt(*one, "standard_error");
    order.groups.push_back({OrderName(name, chinese), {{share, share - 1.96 * error, share + 1.96 * error}}});
  }
  made.figures.push_back({"order", Draw(order), ""});
  report::Bars effects;
  effects.frame = frame(
      say("Log-odds of being preferred, per deviation of the feature", "特征每高一个标准差，被选中的对数几率变化"));
  effects.series = {say("effect", "影响")};
  for (const Effect& one : Effects(ranker)) effects.groups.push_back({one.name, {{.value = one.effect}}});
  if (!effects.groups.empty()) made.figures.push_back({"effects", Draw(effects), ""});
  report::Calibration calibration;
  calibration.frame = frame(say("How often what was said with this probability was so", "说的概率与实际的比例"));
  if (const Json& bins = At(held, "bins"); bins.is_array()) {
    for (const Json& bin : bins)
      calibration.bins.push_back({NumberAt(bin, "low"), NumberAt(bin, "high"),
                                  static_cast<int64_t>(std::max(0.0, NumberAt(bin, "count"))),
                                  NumberAt(bin, "predicted"), NumberAt(bin, "observed")});
  }
  if (!calibration.bins.empty()) made.figures.push_back({"calibration", Draw(calibration), ""});
  made.after = Cat("<table class=\"k\"><tr><th>", say("Feature", "特征"), "</th><th>", say("What it is", "含义"),
                   "</th><th class=\"n\">", say("Odds per deviation", "每标准差几率之比"), "</th></tr>\n");
  for (const Effect& one : Effects(ranker)) {
    made.after +=
        Cat("<tr><th><bdi>", report::Html(one.name, 200), "</bdi></th><td>", report::Html(Meaning(one.name, chinese)),
            "</td><td class=\"n\">× ", Shown(std::exp(one.effect), 2), "</td></tr>\n");
  }
  made.after += Cat("</table>\n<p>", report::Html(EncoderLine(ranker, chinese)), "</p>\n");
  return made;
}

}  // namespace atelier::app
