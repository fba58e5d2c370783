#include "train/settings.h"

#include <algorithm>

#include "base/str.h"

namespace atelier::train {
namespace {

std::string OneOf(Table& table, std::string_view key, std::string otherwise, const std::vector<std::string>& known) {
  std::string value = table.StringOr(key, std::move(otherwise));
  if (std::find(known.begin(), known.end(), value) == known.end()) {
    table.Refuse(key, Cat(Quote(value), " is none of ", Join(known, ", ")));
  }
  return value;
}

// Keys that are not there keep what `s` has.
void ReadOptimiser(Table& table, OptimiserSettings* s) {
  const std::string before = s->name;
  s->name = OneOf(table, "name", s->name, {"adamw", "sgd", "lion"});
  if (s->name == "lion" && before != "lion") s->beta2 = 0.99;
  s->rate = table.DoubleOr("rate", s->rate, 0, 1e3);
  s->weight_decay = table.DoubleOr("weight_decay", s->weight_decay, 0, 10);
  if (s->name == "sgd") {
    s->momentum = table.DoubleOr("momentum", s->momentum, 0, 0.9999999);
  } else {
    s->beta1 = table.DoubleOr("beta1", s->beta1, 0, 0.9999999);
    s->beta2 = table.DoubleOr("beta2", s->beta2, 0, 0.9999999);
  }
  if (s->name == "adamw") s->eps = table.DoubleOr("eps", s->eps, 1e-30, 1);
}

void ReadRun(Table& config, TrainSettings* s) {
  auto table = config.SubOr("run");
  if (!table) return;
  s->name = table->StringOr("name", "");
  s->seed = static_cast<uint64_t>(table->IntOr("seed", 1, 0));
  s->threads = static_cast<int>(table->IntOr("threads", 0, 0, 1024));
  s->fused = OneOf(*table, "kernels", "fused", {"fused", "plain"}) == "fused";
  table->Done();
}

void ReadTrain(Table& config, TrainSettings* s) {
  Table table = config.Sub("train");
  s->steps = table.IntOr("steps", 0, 0);
  s->epochs = table.DoubleOr("epochs", 0, 0, 1e6);
  if ((s->steps > 0) == (s->epochs > 0)) table.Refuse("steps", "one of steps and epochs has to say how long to train");
  s->batch = table.IntOr("batch", s->batch, 1, 1 << 20);
  s->accumulate = table.IntOr("accumulate", s->accumulate, 1, 1 << 16);
  if (s->accumulate > s->batch) table.Refuse("accumulate", "more micro-batches than rows in a batch");
  s->precision = OneOf(table, "precision", "f32", {"f32", "bf16"}) == "bf16" ? Precision::kBf16 : Precision::kF32;
  s->clip = table.DoubleOr("clip", s->clip, 0, 1e9);
  s->label_smoothing = table.DoubleOr("label_smoothing", 0, 0, 0.99);
  s->checkpointing = table.BoolOr("gradient_checkpointing", false);
  s->ema = table.DoubleOr("ema", 0, 0, 0.9999999);
  table.Done();
}

void ReadSchedule(Table& config, ScheduleSettings* s) {
  auto table = config.SubOr("schedule");
  if (!table) return;
  s->name = OneOf(*table, "name", s->name, {"constant", "linear", "cosine", "plateau"});
  s->warmup = table->IntOr("warmup", s->warmup, 0);
  if (s->name != "constant") s->final_share = table->DoubleOr("final", s->final_share, 0, 1);
  if (s->name == "plateau") {
    s->factor = table->DoubleOr("factor", s->factor, 1e-6, 0.999999);
    s->patience = table->IntOr("patience", s->patience, 0);
  }
  table->Done();
}

void ReadData(Table& config, DataSettings* s) {
  Table table = config.Sub("data");
  s->train = table.String("train");
  s->validation = table.StringOr("validation", "");
  s->text = table.StringOr("text", s->text);
  s->source = table.StringOr("source", s->source);
  s->target = table.StringOr("target", s->target);
  s->label = table.StringOr("label", s->label);
  s->prompt = table.StringOr("prompt", s->prompt);
  s->response = table.StringOr("response", s->response);
  s->chosen = table.StringOr("chosen", s->chosen);
  s->rejected = table.StringOr("rejected", s->rejected);
  s->format = OneOf(table, "format", s->format, {"auto", "chat", "plain"});
  s->classes = table.StringsOr("classes", {});
  s->characters = OneOf(table, "units", "tokens", {"tokens", "characters"}) == "characters";
  s->sequence_length = table.IntOr("sequence_length", s->sequence_length, 2, 1 << 20);
  s->source_length = table.IntOr("source_length", s->sequence_length, 1, 1 << 20);
  s->packed = OneOf(table, "layout", "packed", {"packed", "records"}) == "packed";
  s->long_records = OneOf(table, "long_records", s->long_records, {"truncate", "drop"});
  s->mask = table.DoubleOr("mask", s->mask, 0.001, 0.99);
  s->whole_words = table.BoolOr("whole_words", s->whole_words);
  s->picture = table.StringOr("picture", s->picture);
  s->height = table.IntOr("height", 0, 0, 1 << 14);
  s->width = table.IntOr("width", s->height, 0, 1 << 14);
  if ((s->height > 0) != (s->width > 0))
    table.Refuse("width", "a picture has a height and a width, or neither is said");
  table.Done();
}

bool ReadTokenizer(Table& config, const char* key, TokenizerSettings* s) {
  auto table = config.SubOr(key);
  if (!table) return false;
  s->file = table->StringOr("file", "");
  if (s->file.empty()) {
    s->type = OneOf(*table, "type", s->type, {"bytes", "bpe", "unigram"});
    if (s->type != "bytes") s->vocabulary = table->IntOr("vocabulary", s->vocabulary, 260, 1 << 20);
  }
  table->Done();
  return true;
}

void ReadRest(Table& config, TrainSettings* s) {
  if (auto table = config.SubOr("validation")) {
    s->validate_every = table->IntOr("every", 0, 0);
    s->validate_batches = table->IntOr("batches", 0, 0);
    s->patience = table->IntOr("patience", 0, 0);
    s->metric = table->StringOr("metric", "");
    if (!s->metric.empty()) {
      if (s->data.validation.empty()) table->Refuse("metric", "there is no data.validation that could have it");
      s->maximise = OneOf(*table, "goal", s->metric.ends_with("loss") ? "min" : "max", {"min", "max"}) == "max";
    }
    table->Done();
  }
  if (auto table = config.SubOr("keep")) {
    s->keep = table->String("text");
    s->keep_weight = table->DoubleOr("weight", s->keep_weight, 0, 1e6);
    s->keep_rows = table->IntOr("rows", s->keep_rows, 1, 4096);
    s->keep_length = table->IntOr("length", s->keep_length, 2, 1 << 20);
    table->Done();
  }
  if (auto table = config.SubOr("rollout")) {
    s->scorer = table->StringsOr("scorer", {});
    if (s->scorer.empty()) table->Refuse("scorer", "is missing: the program that says how good a reply is");
    s->rollout_samples = table->IntOr("samples", s->rollout_samples, 2, 256);
    s->rollout_tokens = table->IntOr("tokens", s->rollout_tokens, 1, 1 << 16);
    s->rollout_temperature = table->DoubleOr("temperature", s->rollout_temperature, 1e-3, 100);
    table->Done();
  }
  if (auto table = config.SubOr("checkpoint")) {
    s->checkpoint_every = table->IntOr("every", 0, 0);
    table->Done();
  }
  if (auto table = config.SubOr("track")) {
    s->log_every = table->IntOr("every", s->log_every, 1);
    s->samples_every = table->IntOr("samples_every", 0, 0);
    s->samples = table->IntOr("samples", s->samples, 0, 64);
    s->prompt = table->StringOr("prompt", "");
    table->Done();
  }
}

}  // namespace

const OptimiserSettings& TrainSettings::OptimiserOf(const std::string& part) const {
  const auto it = part_optimisers.find(part);
  return it == part_optimisers.end() ? optimiser : it->second;
}

TrainSettings ReadTrainSettings(Table& config) {
  TrainSettings s;
  ReadRun(config, &s);
  ReadTrain(config, &s);
  if (auto table = config.SubOr("optimiser")) {
    ReadOptimiser(*table, &s.optimiser);
    if (auto parts = table->SubOr("parts")) {
      for (const std::string& part : parts->Keys()) {
        Table own = parts->Sub(part);
        OptimiserSettings settings = s.optimiser;
        ReadOptimiser(own, &settings);
        own.Done();
        s.part_optimisers[part] = settings;
      }
    }
    table->Done();
  }
  ReadSchedule(config, &s.schedule);
  ReadData(config, &s.data);
  ReadTokenizer(config, "tokenizer", &s.tokenizer);
  TokenizerSettings source;
  if (ReadTokenizer(config, "source_tokenizer", &source)) s.source_tokenizer = source;
  ReadRest(config, &s);
  return s;
}

}  // namespace atelier::train
