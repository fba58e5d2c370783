// The visible list of commands. A new command is one new file and two lines here.
#include "app/atelier/command.h"

namespace atelier::app {

std::unique_ptr<Command> MakeInit();                // init.cc
std::unique_ptr<Command> MakeModelPull();           // model_pull.cc
std::unique_ptr<Command> MakeModelList();           // model_list.cc
std::unique_ptr<Command> MakeModelShow();           // model_show.cc
std::unique_ptr<Command> MakeModelVerify();         // model_verify.cc
std::unique_ptr<Command> MakeModelRm();             // model_rm.cc
std::unique_ptr<Command> MakeKeyCreate();           // key_create.cc
std::unique_ptr<Command> MakeKeyList();             // key_list.cc
std::unique_ptr<Command> MakeKeyRevoke();           // key_revoke.cc
std::unique_ptr<Command> MakeAudit();               // audit.cc
std::unique_ptr<Command> MakeDataImport();          // data_import.cc
std::unique_ptr<Command> MakeDataShow();            // data_show.cc
std::unique_ptr<Command> MakeDataClean();           // data_clean.cc
std::unique_ptr<Command> MakeCompose();             // compose.cc
std::unique_ptr<Command> MakeTemplateRender();      // template_render.cc
std::unique_ptr<Command> MakeSchemaCheck();         // schema_check.cc
std::unique_ptr<Command> MakeMake();                // make.cc
std::unique_ptr<Command> MakeTokenize();            // tokenize.cc
std::unique_ptr<Command> MakeGenerate();            // generate.cc
std::unique_ptr<Command> MakeChat();                // chat.cc
std::unique_ptr<Command> MakeServe();               // serve.cc
std::unique_ptr<Command> MakeBench();               // bench.cc
std::unique_ptr<Command> MakeEvaluatePerplexity();  // evaluate_perplexity.cc

std::span<const CommandEntry> AllCommands() {
  static const std::vector<CommandEntry> list = {
      {"init", "Make a folder a studio", "atelier init shop", &MakeInit},
      {"model pull", "Fetch a model's weights, check them, register them",
       "atelier model pull smollm2\natelier model pull hf:OWNER/REPO/FILE.gguf\natelier model pull ./model.gguf --name "
       "mine",
       &MakeModelPull},
      {"model list", "List the models that are here", "atelier model list --json", &MakeModelList},
      {"model show", "Show what a model's file holds", "atelier model show smollm2", &MakeModelShow},
      {"model verify", "Read models again and hold them against their hashes", "atelier model verify",
       &MakeModelVerify},
      {"model rm", "Take a model out of the studio", "atelier model rm smollm2 --weights", &MakeModelRm},
      {"key create", "Make an API key; it is shown once",
       "atelier key create shop-page --scope generate --scope feedback --requests-per-minute 60\n"
       "atelier key create trial --tokens-per-day 100000 --days 30 --json",
       &MakeKeyCreate},
      {"key list", "List the studio's API keys", "atelier key list --all --json", &MakeKeyList},
      {"key revoke", "Make an API key stop working", "atelier key revoke atl_3fQzT0aB", &MakeKeyRevoke},
      {"audit", "Show the studio's audit trail", "atelier audit\natelier audit --subject smollm2 --limit 10 --json",
       &MakeAudit},
      {"data import", "Make files, folders and tables the next version of a dataset",
       "atelier data import reviews.csv --name reviews\natelier data import manual/ --name manual --licence CC-BY-4.0\n"
       "atelier data import postgresql://shop@db/sales --table orders --name orders",
       &MakeDataImport},
      {"data show", "Show what a dataset holds", "atelier data show reviews\natelier data show reviews@2 --head 5",
       &MakeDataShow},
      {"data clean", "Clean a dataset by a declared list of operations: its next version, with a report",
       "atelier data clean reviews --config clean.toml\n"
       "atelier data clean reviews@2 --config clean.toml --into reviews-clean --json",
       &MakeDataClean},
      {"compose", "Show what a phrase grammar makes of rows",
       "atelier compose recipes/ad_copy/grammar/en.toml --input rows.jsonl --count 10", &MakeCompose},
      {"template render", "Render a Jinja template with a JSON context",
       "atelier template render chat.jinja --context messages.json", &MakeTemplateRender},
      {"schema check", "Say whether replies can be held to a JSON Schema, and whether one could be given texts",
       "atelier schema check advert.schema.json\natelier schema check advert.schema.json --texts replies.jsonl --json",
       &MakeSchemaCheck},
      {"make", "Turn records into checked copy by a recipe, and a page to read it on",
       "atelier make ad_copy --input products.csv --out out\natelier make ad_copy --replay GENERATION", &MakeMake},
      {"tokenize", "Show what a model's tokenizer makes of a text, line by line",
       "atelier tokenize -m smollm2 --text notes.txt --json", &MakeTokenize},
      {"generate", "Continue a text with a model",
       "atelier generate -m gemma3-270m -p '产品：手冲咖啡壶\\n文案：' --max-tokens 40\n"
       "atelier generate -m smollm2 --chat -p 'Name three uses of beeswax.' --temperature 0 --json",
       &MakeGenerate},
      {"chat", "Talk with a model", "atelier chat -m smollm2\necho 'Hello!' | atelier chat -m smollm2", &MakeChat},
      {"serve", "Put the studio on the network: OpenAI's API for its models, its last page",
       "atelier serve\natelier serve --listen 0.0.0.0:8080 --tls-certificate cert.pem --tls-key key.pem", &MakeServe},
      {"bench", "Measure how fast a model runs here", "atelier bench -m smollm2 -p 512 -n 128 -t 2 --json", &MakeBench},
      {"evaluate perplexity", "Measure how well a model predicts a text",
       "atelier evaluate perplexity -m gemma3-270m --text novel.txt --ctx 512 --json", &MakeEvaluatePerplexity},
  };
  return list;
}

}  // namespace atelier::app
