// What holding replies to a schema costs: the same model decodes the same number of tokens free and constrained, by
// turns in one process, and the ratio of the medians is printed, of processor time (all threads) and of the clock.
// Run it as `./dev bench constraint [-t THREADS] [MODEL...]`. On a machine that others use, one thread and processor
// time say most: threads that wait for each other spin.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "artefact/registry.h"
#include "base/ids.h"
#include "runtime/local_generator.h"

namespace atelier::runtime {
namespace {

constexpr int kTokens = 64, kRounds = 5;

// Schemas whose replies do not end before kTokens.
constexpr std::pair<const char*, const char*> kSchemas[] = {
    {"strings", R"({"type":"array","items":{"type":"string","minLength":120,"maxLength":400},"minItems":1000})"},
    {"numbers",
     R"({"type":"array","items":{"type":"number","minimum":-12.5,"exclusiveMaximum":99999.75},"minItems":1000})"},
    {"enums",
     R"({"type":"array","items":{"enum":["red","green","blue","rot","grün","红","绿",1,2.5,null]},"minItems":1000})"},
    {"records", R"({"type":"array","minItems":1000,"items":{"type":"object","properties":{"name":{"type":"string",
      "maxLength":40},"age":{"type":"integer","minimum":0,"maximum":120},"address":{"type":"object","properties":{
      "street":{"type":"string","maxLength":60},"city":{"type":"string","maxLength":30},"zip":{"type":"string",
      "pattern":"^[0-9]{5}$"}},"required":["street","city","zip"]},"tags":{"type":"array","items":{"enum":["new","sale",
      "best"]},"maxItems":3}},"required":["name","age","address","tags"],"additionalProperties":false}})"},
    {"pattern", R"({"type":"array","minItems":1000,"items":{"type":"string",
      "pattern":"^(?:[A-Z][a-z]{2,9} ){1,4}[0-9]{1,4}[a-f]?, [0-9]{5} [A-Z][a-zäöü]{3,20}(?: (?:an der|am) [A-Z][a-z]+)?$"}})"},
    {"maps", R"({"type":"array","minItems":1000,"items":{"type":"object","minProperties":3,"maxProperties":9,
      "additionalProperties":{"type":"integer","minimum":0}}})"},
    {"any", R"({"type":"array","minItems":1000})"},
};

struct Cost {
  std::vector<double> cpu, wall;  // seconds per token
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Measure(artefact::Generator* model, const char* schema, int samples, double temperature, uint64_t seed,
             Cost* cost) {
  artefact::GenerateRequest request;
  request.prompt = "An example as JSON: ";
  request.max_tokens = kTokens;
  request.samples = samples;
  request.seed = seed;
  request.sampling.temperature = temperature;
  request.ignore_end = schema == nullptr;
  if (schema != nullptr) request.constraint = {artefact::ConstraintSpec::Kind::kJsonSchema, schema, {}};
  const std::clock_t cpu = std::clock();
  const double wall = MonotonicSeconds();
  const artefact::GenerateResult result = model->Generate(request);
  double tokens = 0;
  for (const artefact::Generated& one : result.samples) tokens += static_cast<double>(one.tokens.size());
  if (tokens != static_cast<double>(kTokens * samples)) std::printf("(a reply ended early) ");
  cost->cpu.push_back(static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC / tokens);
  cost->wall.push_back((MonotonicSeconds() - wall) / tokens);
}

void Bench(const std::string& name, int threads) {
  const auto model = LoadGenerator(artefact::Registry(nullptr).Resolve(name).path, name, "", {.threads = threads});
  const artefact::EngineInfo engine = model->engine();
  std::printf("%s, %s, %d threads, %d tokens a reply, medians of %d turns\n", name.c_str(), engine.isa.c_str(),
              engine.threads, kTokens, kRounds);
  std::printf("  %-8s %5s %11s %14s %14s %10s %10s\n", "schema", "batch", "temperature", "free tokens/s",
              "held tokens/s", "cpu ratio", "wall ratio");
  for (const auto& [label, schema] : kSchemas) {
    for (const auto& [batch, temperature] : {std::pair(1, 0.0), std::pair(1, 1.0), std::pair(16, 1.0)}) {
      Cost free, held, ignored;
      Measure(model.get(), nullptr, batch, temperature, 0, &ignored);
      Measure(model.get(), schema, batch, temperature, 0, &ignored);  // compiles it, meets its first masks
      for (int round = 1; round <= kRounds; ++round) {
        Measure(model.get(), nullptr, batch, temperature, static_cast<uint64_t>(round), &free);
        Measure(model.get(), schema, batch, temperature, static_cast<uint64_t>(round), &held);
      }
      std::printf("  %-8s %5d %11.1f %14.1f %14.1f %10.3f %10.3f\n", label, batch, temperature, 1 / Median(free.wall),
                  1 / Median(held.wall), Median(held.cpu) / Median(free.cpu), Median(held.wall) / Median(free.wall));
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace atelier::runtime

int main(int argc, char** argv) {
  std::vector<std::string> models(argv + 1, argv + argc);
  int threads = 0;
  if (models.size() >= 2 && models[0] == "-t") {
    threads = std::atoi(models[1].c_str());
    models.erase(models.begin(), models.begin() + 2);
  }
  if (models.empty()) models = {"smollm2", "gemma3-270m"};
  for (const std::string& model : models) atelier::runtime::Bench(model, threads);
}
