// A phrase grammar from outside, and what it makes of two rows: only Error may come out of the parser, and the work of
// an expansion is bounded whatever the grammar says.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "operators/compose.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  if (size > 16384) return 0;
  try {
    operators::Grammar grammar =
        operators::Grammar::Parse(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.toml");
    static const Json rows[] = {Json{{"name", "Linen Apron"},
                                     {"category", "kitchen"},
                                     {"features", {"washed linen", "two deep pockets", "5 mm thick", "folds"}},
                                     {"audience", "home cooks"},
                                     {"price", "$32"},
                                     {"tone", "warm"}},
                                Json{{"name", "桂花米酒"},
                                     {"category", "食品"},
                                     {"features", "糯米手工发酵；加干桂花；500毫升"},
                                     {"audience", "年轻人"},
                                     {"price", "36元"}}};
    for (const Json& row : rows) {
      Rng rng(1);
      operators::ComposeOptions options;
      options.count = 20;
      operators::Compose(grammar, row, options, rng);
    }
  } catch (const Error&) {
  }
  return 0;
}
