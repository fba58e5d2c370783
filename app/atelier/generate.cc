// atelier generate -m MODEL -p TEXT: continues a text, as one or several samples; or with --input the texts of a file.
#include <cstdio>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/generate_batch.h"
#include "app/atelier/generate_learned.h"
#include "app/atelier/model_option.h"
#include "app/atelier/print_pieces.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/chat.h"

namespace atelier::app {
namespace {

class GenerateCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Text("-p,--prompt", &prompt_, "the text to continue; @FILE reads a file, - standard input");
    cli.Text("--input", &input_,
             "a file of records (.jsonl, .csv), each of which gets a reply; an interrupted one goes on");
    cli.Text("--field", &field_,
             "with --input: the field with what is asked, a text or with --chat a list of messages");
    cli.Text("--into", &into_, "with --input: the field that gets the reply, or of several samples their list");
    cli.Text("--out", &out_,
             "with --input: the file of records with their replies (.jsonl); pictures from a model that "
             "makes some: the PNG file they go into, -n of them");
    cli.Flag("--interpolate", &interpolate_, "with --out: ways from one picture to another");
    cli.Flag("--chat", &chat_, "treat the prompt as a user's message in the model's chat template");
    cli.Text("--system", &system_, "a system message, with --chat");
    cli.Int("--max-tokens", &max_tokens_, "the most tokens to generate", 0, 1 << 20);
    cli.Int("-n,--samples", &asked_samples_, "samples, decoded together (default 1; of pictures 64)", 1, 256);
    cli.Double("--temperature", &sampling_.temperature, "0: always the likeliest token", 0, 100);
    cli.Int("--top-k", &top_k_, "keep the k likeliest tokens; 0: all", 0, 1 << 20);
    cli.Double("--top-p", &sampling_.top_p, "keep the smallest set with this probability", 0, 1);
    cli.Double("--min-p", &sampling_.min_p, "drop tokens below this share of the likeliest's probability", 0, 1);
    cli.Double("--repetition-penalty", &sampling_.repetition_penalty, "1: off", 0, 100);
    cli.Double("--presence-penalty", &sampling_.presence_penalty, "0: off", -100, 100);
    cli.Double("--frequency-penalty", &sampling_.frequency_penalty, "0: off", -100, 100);
    cli.Texts("--logit-bias", &bias_, "TOKEN=BIAS, adds to a token's logit; may be given more than once");
    cli.Texts("--stop", &stop_, "end before this text; may be given more than once");
    cli.Text("--schema", &schema_, "the reply is JSON valid under this JSON Schema; a file");
    cli.Flag("--json-object", &json_object_, "the reply is a JSON object");
    cli.Text("--regex", &regex_, "the whole reply matches this regular expression");
    cli.Texts("--choice", &choices_, "the reply is this text or one of the others; may be given more than once");
    cli.Int("--seed", &seed_, "of the random numbers", 0, INT64_MAX);
    cli.Int("--logprobs", &logprobs_, "with --json: log-probability per token, and this many alternatives; -1: none",
            -1, 100);
    cli.Flag("--ignore-end", &ignore_end_, "go on past the model's own end");
  }

  int Run(const Globals& globals) override {
    if (!input_.empty() && (out_.empty() || !prompt_.empty())) {
      throw Error(Code::kUsage, "--input wants --out, and no --prompt");
    }
    if (input_.empty() && prompt_.empty() == out_.empty())
      throw Error(Code::kUsage, "wants --prompt for text, or --out for pictures");
    artefact::GenerateRequest request;
    request.prompt = prompt_;
    if (prompt_ == "-") request.prompt = ReadFile("/dev/stdin", 64u << 20);
    if (prompt_.size() > 1 && prompt_[0] == '@') request.prompt = ReadFile(prompt_.substr(1), 64u << 20);
    const artefact::ModelEntry found = model_.Find(globals);
    const int64_t samples_ = asked_samples_.value_or(1);
    if (IsLearned(found)) {
      if (Constraint().kind != artefact::ConstraintSpec::Kind::kNone || chat_ || !stop_.empty() || !bias_.empty() ||
          sampling_.top_p != artefact::Sampling().top_p || sampling_.min_p != artefact::Sampling().min_p ||
          sampling_.repetition_penalty != 1 || sampling_.presence_penalty != 0 || sampling_.frequency_penalty != 0 ||
          logprobs_ >= 0 || ignore_end_ || !input_.empty()) {
        throw Error(Code::kUsage,
                    Cat(found.name, " runs on LibTorch, which samples by --temperature and --top-k alone"));
      }
      GenerateLearned(found,
                      {.prompt = request.prompt,
                       .tokens = max_tokens_,
                       .samples = asked_samples_.value_or(0),
                       .top_k = top_k_,
                       .seed = seed_,
                       .temperature = sampling_.temperature,
                       .out = out_,
                       .interpolate = interpolate_},
                      globals.json);
      return 0;
    }
    if (input_.empty() && !out_.empty())
      throw Error(Code::kUsage, Cat(found.name, " writes text: --out is for models that make pictures"));
    const auto model = model_.Load(globals);
    if (chat_ && input_.empty()) {
      Json messages = Json::array();
      if (!system_.empty()) messages.push_back({{"role", "system"}, {"content", system_}});
      messages.push_back({{"role", "user"}, {"content", request.prompt}});
      request.prompt = runtime::RenderChat(*model, messages);
      request.parse_special = true;
    } else if (!system_.empty() && !chat_) {
      throw Error(Code::kUsage, "--system needs --chat");
    }
    request.max_tokens = static_cast<int>(max_tokens_);
    request.samples = static_cast<int>(samples_);
    request.seed = static_cast<uint64_t>(seed_);
    request.sampling = sampling_;
    request.sampling.top_k = static_cast<int>(top_k_);
    for (const std::string& bias : bias_) {
      const std::vector<std::string> parts = Split(bias, '=');
      const auto token = ParseInt(parts[0]);
      const auto value = parts.size() == 2 ? ParseDouble(parts[1]) : std::nullopt;
      if (!token || !value || *token < 0 || *token > INT32_MAX) {
        throw Error(Code::kUsage, Cat("--logit-bias ", Quote(bias), " is not TOKEN=BIAS"), "for instance 11=-100");
      }
      request.sampling.logit_bias.emplace_back(static_cast<int32_t>(*token), static_cast<float>(*value));
    }
    request.stop = stop_;
    request.ignore_end = ignore_end_;
    request.logprobs = static_cast<int>(logprobs_);
    request.constraint = Constraint();
    if (!input_.empty()) {
      GenerateBatch(*model, request,
                    {.input = input_,
                     .out = out_,
                     .field = field_,
                     .into = into_,
                     .chat = chat_,
                     .system = system_,
                     .request = Settings()},
                    globals);
      return 0;
    }
    const bool streams = !globals.json && samples_ == 1;
    const artefact::GenerateResult result = model->Generate(request, streams ? PrintPieces() : nullptr);
    if (globals.json) {
      PrintJson(*model, result);
    } else if (streams) {
      std::cout << "\n";
    } else {
      for (size_t i = 0; i < result.samples.size(); ++i)
        std::cout << "[" << i + 1 << "] " << result.samples[i].text << "\n";
    }
    return 0;
  }

 private:
  artefact::ConstraintSpec Constraint() const {
    using Kind = artefact::ConstraintSpec::Kind;
    artefact::ConstraintSpec spec;
    const int asked = !schema_.empty() + json_object_ + !regex_.empty() + !choices_.empty();
    if (asked > 1) throw Error(Code::kUsage, "--schema, --json-object, --regex and --choice exclude each other");
    if (!schema_.empty()) spec = {Kind::kJsonSchema, ReadFile(schema_, 2u << 20), {}};
    if (json_object_) spec.kind = Kind::kJsonObject;
    if (!regex_.empty()) spec = {Kind::kRegex, regex_, {}};
    if (!choices_.empty()) spec = {Kind::kChoice, "", choices_};
    return spec;
  }
  // What says how the replies of a file are made, so that it is gone on with alike.
  std::string Settings() const {
    const artefact::ConstraintSpec constraint = Constraint();
    return ToText(Json{field_,
                       into_,
                       chat_,
                       system_,
                       max_tokens_,
                       asked_samples_.value_or(1),
                       top_k_,
                       seed_,
                       bias_,
                       stop_,
                       sampling_.temperature,
                       sampling_.top_p,
                       sampling_.min_p,
                       sampling_.repetition_penalty,
                       sampling_.presence_penalty,
                       sampling_.frequency_penalty,
                       ignore_end_,
                       static_cast<int>(constraint.kind),
                       constraint.text,
                       constraint.choices});
  }
  void PrintJson(const artefact::Generator& model, const artefact::GenerateResult& result) const {
    Json samples = Json::array();
    size_t output_tokens = 0;
    for (const artefact::Generated& sample : result.samples) {
      Json one = {{"text", sample.text},
                  {"finish", artefact::Name(sample.finish)},
                  {"tokens", sample.tokens},
                  {"sum_logprob", sample.sum_logprob}};
      if (logprobs_ >= 0) {
        Json list = Json::array();
        for (const artefact::TokenLogprob& token : sample.logprobs) {
          Json top = Json::array();
          for (const auto& [id, logprob] : token.top) top.push_back({{"token", id}, {"logprob", logprob}});
          list.push_back({{"token", token.token}, {"logprob", token.logprob}, {"top", std::move(top)}});
        }
        one["logprobs"] = std::move(list);
      }
      output_tokens += sample.tokens.size();
      samples.push_back(std::move(one));
    }
    const artefact::EngineInfo engine = model.engine();
    const Json out = {{"text", result.samples[0].text},
                      {"finish", artefact::Name(result.samples[0].finish)},
                      {"samples", std::move(samples)},
                      {"model", model.info().name},
                      {"seed", seed_},
                      {"prompt_tokens", result.prompt_tokens},
                      {"output_tokens", output_tokens},
                      {"prefill_seconds", result.prefill_seconds},
                      {"decode_seconds", result.decode_seconds},
                      {"engine", {{"build", engine.build}, {"isa", engine.isa}, {"threads", engine.threads}}}};
    std::cout << ToText(out) << "\n";
  }

  ModelOption model_;
  std::string prompt_, input_, field_ = "prompt", into_ = "response", out_, system_, schema_, regex_;
  bool interpolate_ = false, chat_ = false, ignore_end_ = false, json_object_ = false;
  artefact::Sampling sampling_;
  std::optional<int64_t> asked_samples_;
  int64_t max_tokens_ = 128, top_k_ = 0, seed_ = 0, logprobs_ = -1;
  std::vector<std::string> stop_, bias_, choices_;
};

}  // namespace

std::unique_ptr<Command> MakeGenerate() { return std::make_unique<GenerateCommand>(); }

}  // namespace atelier::app
