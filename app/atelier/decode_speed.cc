#include "app/atelier/decode_speed.h"

#include <algorithm>

namespace atelier::app {

double DecodeSpeed(artefact::Generator& model, int tokens) {
  artefact::GenerateRequest request;
  request.prompt = model.bos() >= 0 && model.wants_bos() ? "" : "a";
  request.max_tokens = std::max(1, std::min(tokens, model.info().context_length - 1));
  request.sampling.temperature = 0;
  request.ignore_end = true;
  const artefact::GenerateResult result = model.Generate(request);
  return static_cast<double>(result.samples[0].tokens.size()) / result.decode_seconds;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace atelier::app
