#include "app/atelier/divergence_report.h"

#include "app/atelier/text_table.h"
#include "base/str.h"

namespace atelier::app {

Json DivergenceJson(const evaluate::Divergence& d) {
  const auto perplexity = [](const evaluate::Perplexity& p) -> Json {
    return {{"perplexity", p.perplexity}, {"standard_error", p.standard_error}};
  };
  return {{"original", perplexity(d.original)},
          {"copy", perplexity(d.copy)},
          {"perplexity_ratio", d.copy.perplexity / d.original.perplexity},
          {"divergence",
           {{"mean", d.mean},
            {"standard_error", d.standard_error},
            {"median", d.median},
            {"p99", d.p99},
            {"greatest", d.greatest}}},
          {"same_top", d.same_top},
          {"tokens", d.copy.tokens},
          {"scored", d.copy.scored},
          {"windows", d.copy.windows}};
}

std::string DivergenceText(const evaluate::Divergence& d) {
  const double change = 100 * (d.copy.perplexity / d.original.perplexity - 1);
  TextTable table({"OVER " + std::to_string(d.copy.scored) + " TOKENS", "ORIGINAL", "COPY", ""});
  table.Add({"perplexity", FormatFixed(d.original.perplexity, 3), FormatFixed(d.copy.perplexity, 3),
             Cat(change >= 0 ? "+" : "", FormatFixed(change, 2), " %")});
  table.Add({"divergence (KL, nats)", "", FormatFixed(d.mean, 5),
             Cat("median ", FormatFixed(d.median, 5), ", p99 ", FormatFixed(d.p99, 4))});
  table.Add({"same likeliest token", "", Cat(FormatFixed(100 * d.same_top, 1), " %"), ""});
  return table.Text();
}

}  // namespace atelier::app
