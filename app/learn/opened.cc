#include "app/learn/opened.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::learn {

model::OpenedModel OpenAsked(const Options& options) {
  const auto model = options.find("model"), run = options.find("run");
  if ((model == options.end()) == (run == options.end())) {
    throw Error(Code::kUsage, "one of --model FILE.safetensors and --run DIR says which model");
  }
  if (model != options.end()) return model::OpenModel(model->second);
  const std::string best = Cat(run->second, "/best.safetensors");
  return model::OpenModel(FileExists(best) ? best : Cat(run->second, "/last.safetensors"));
}

}  // namespace atelier::learn
