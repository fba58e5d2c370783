// The visible list of commands. A new command is one new file and two lines here.
#include "app/atelier/command.h"

namespace atelier::app {

std::unique_ptr<Command> MakeInit();                  // init.cc
std::unique_ptr<Command> MakeStudioBackup();          // studio_backup.cc
std::unique_ptr<Command> MakeStudioRestore();         // studio_restore.cc
std::unique_ptr<Command> MakeStudioVerify();          // studio_verify.cc
std::unique_ptr<Command> MakeStudioGc();              // studio_gc.cc
std::unique_ptr<Command> MakeModelPull();             // model_pull.cc
std::unique_ptr<Command> MakeModelList();             // model_list.cc
std::unique_ptr<Command> MakeModelShow();             // model_show.cc
std::unique_ptr<Command> MakeModelMerge();            // model_merge.cc
std::unique_ptr<Command> MakeModelPrune();            // model_prune.cc
std::unique_ptr<Command> MakeModelQuantise();         // model_quantise.cc
std::unique_ptr<Command> MakeModelVerify();           // model_verify.cc
std::unique_ptr<Command> MakeModelRm();               // model_rm.cc
std::unique_ptr<Command> MakeKeyCreate();             // key_create.cc
std::unique_ptr<Command> MakeKeyList();               // key_list.cc
std::unique_ptr<Command> MakeKeyRevoke();             // key_revoke.cc
std::unique_ptr<Command> MakeAudit();                 // audit.cc
std::unique_ptr<Command> MakeDataImport();            // data_import.cc
std::unique_ptr<Command> MakeDataList();              // data_list.cc
std::unique_ptr<Command> MakeDataShow();              // data_show.cc
std::unique_ptr<Command> MakeDataDiff();              // data_diff.cc
std::unique_ptr<Command> MakeDataExport();            // data_export.cc
std::unique_ptr<Command> MakeDataRm();                // data_rm.cc
std::unique_ptr<Command> MakeDataReadHtml();          // data_read_html.cc
std::unique_ptr<Command> MakeCompose();               // compose.cc
std::unique_ptr<Command> MakeTemplateRender();        // template_render.cc
std::unique_ptr<Command> MakeSchemaCheck();           // schema_check.cc
std::unique_ptr<Command> MakeMake();                  // make.cc
std::unique_ptr<Command> MakeCheck();                 // check.cc
std::unique_ptr<Command> MakeTokenize();              // tokenize.cc
std::unique_ptr<Command> MakeTokenizerTrain();        // tokenizer_train.cc
std::unique_ptr<Command> MakeGenerate();              // generate.cc
std::unique_ptr<Command> MakeChat();                  // chat.cc
std::unique_ptr<Command> MakeServe();                 // serve.cc
std::unique_ptr<Command> MakeBench();                 // bench.cc
std::unique_ptr<Command> MakeEvaluateDivergence();    // evaluate_divergence.cc
std::unique_ptr<Command> MakeEvaluatePerplexity();    // evaluate_perplexity.cc
std::unique_ptr<Command> MakeEvaluateNgram();         // evaluate_ngram.cc
std::unique_ptr<Command> MakeTrain();                 // train.cc
std::unique_ptr<Command> MakeTuneSft();               // tune.cc
std::unique_ptr<Command> MakeTuneDistil();            // tune.cc
std::unique_ptr<Command> MakeTuneDpo();               // tune.cc
std::unique_ptr<Command> MakeTuneIpo();               // tune.cc
std::unique_ptr<Command> MakeTuneOrpo();              // tune.cc
std::unique_ptr<Command> MakeTuneReward();            // tune.cc
std::unique_ptr<Command> MakeTuneKto();               // tune.cc
std::unique_ptr<Command> MakeTuneGrpo();              // tune.cc
std::unique_ptr<Command> MakeTuneReinforce();         // tune.cc
std::unique_ptr<Command> MakeTuneRank();              // tune_rank.cc
std::unique_ptr<Command> MakeRank();                  // rank.cc
std::unique_ptr<Command> MakeTuneClassify();          // tune_classify.cc
std::unique_ptr<Command> MakeClassify();              // classify.cc
std::unique_ptr<Command> MakeRunReport();             // run_report.cc
std::unique_ptr<Command> MakeRunCurves();             // run_curves.cc
std::unique_ptr<Command> MakeRunSearch();             // run_search.cc
std::unique_ptr<Command> MakeIndexAdd();              // index_add.cc
std::unique_ptr<Command> MakeIndexList();             // index_list.cc
std::unique_ptr<Command> MakeIndexShow();             // index_list.cc
std::unique_ptr<Command> MakeIndexReadHtml();         // index_read_html.cc
std::unique_ptr<Command> MakeIndexDelete();           // index_list.cc
std::unique_ptr<Command> MakeIndexRm();               // index_list.cc
std::unique_ptr<Command> MakeSearch();                // search.cc
std::unique_ptr<Command> MakeSegment();               // segment.cc
std::unique_ptr<Command> MakeEmbed();                 // embed.cc
std::unique_ptr<Command> MakeReward();                // reward.cc
std::unique_ptr<Command> MakeEvaluateSegmentation();  // evaluate_segmentation.cc
std::unique_ptr<Command> MakeEvaluateRetrieval();     // evaluate_retrieval.cc
std::unique_ptr<Command> MakeEvaluateSuite();         // evaluate_suite.cc
std::unique_ptr<Command> MakeEvaluateBleu();          // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateChrf();          // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateTer();           // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateBertScore();     // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateFaithful();      // evaluate_faithful.cc
std::unique_ptr<Command> MakeEvaluateStyle();         // evaluate_style.cc
std::unique_ptr<Command> MakeDataDedup();             // data_dedup.cc
std::unique_ptr<Command> MakeDataSplit();             // data_split.cc
std::unique_ptr<Command> MakeDataMerge();             // data_merge.cc
std::unique_ptr<Command> MakeDataAugment();           // data_augment.cc
std::unique_ptr<Command> MakeDataClean();             // data_clean.cc

std::unique_ptr<Command> MakeEvaluateClassification();  // evaluate_classification.cc
std::unique_ptr<Command> MakeEvaluateRegression();      // evaluate_regression.cc
std::unique_ptr<Command> MakeEvaluateRanking();         // evaluate_ranking.cc
std::unique_ptr<Command> MakeEvaluateAgreement();       // evaluate_agreement.cc
std::unique_ptr<Command> MakeEvaluateRouge();           // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateMeteor();          // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateExactMatch();      // evaluate_reference.cc
std::unique_ptr<Command> MakeEvaluateDiversity();       // evaluate_diversity.cc
std::unique_ptr<Command> MakeEvaluateForm();            // evaluate_form.cc
std::unique_ptr<Command> MakeEvaluateJudge();           // evaluate_judge.cc
std::unique_ptr<Command> MakeEvaluateReadability();     // evaluate_readability.cc

std::span<const CommandEntry> AllCommands() {
  static const std::vector<CommandEntry> list = {
      {"init", "Make a folder a studio", "atelier init shop", &MakeInit},
      {"studio backup", "Save the whole studio in one file; it may be serving meanwhile",
       "atelier studio backup shop-2026-11-28.tar.zst", &MakeStudioBackup},
      {"studio restore", "Make a studio from its backup", "atelier studio restore shop-2026-11-28.tar.zst shop",
       &MakeStudioRestore},
      {"studio verify", "Say whether a backup, or the studio itself, is whole",
       "atelier studio verify shop-2026-11-28.tar.zst\natelier studio verify --json", &MakeStudioVerify},
      {"studio gc", "Remove pictures and sound that nothing refers to any more", "atelier studio gc --dry-run",
       &MakeStudioGc},
      {"model pull", "Fetch a model's weights, check them, register them",
       "atelier model pull smollm2\natelier model pull hf:OWNER/REPO/FILE.gguf\natelier model pull ./model.gguf --name "
       "mine\natelier model pull adapters/writer --base smollm2",
       &MakeModelPull},
      {"model list", "List the models that are here", "atelier model list --json", &MakeModelList},
      {"model show", "Show what a model's file holds", "atelier model show smollm2", &MakeModelShow},
      {"model verify", "Read models again and hold them against their hashes", "atelier model verify",
       &MakeModelVerify},
      {"model merge", "Lay a low-rank adapter into its model for good",
       "atelier model merge smollm2 runs/helper/adapter.gguf helper.gguf --type q8_0", &MakeModelMerge},
      {"model quantise", "Make a smaller copy of a model",
       "atelier model quantise poems poems-q4.gguf --type q4_k --calibration poems.txt --evaluate unseen.txt",
       &MakeModelQuantise},
      {"model prune", "Make a copy of a model without what counts least",
       "atelier model prune poems poems-less.gguf --units 0.75 --calibration poems.txt --evaluate unseen.txt\n"
       "atelier model prune gemma3-270m small.gguf --vocabulary our_texts.txt --tokens 16000",
       &MakeModelPrune},
      {"model rm", "Take a model out of the studio", "atelier model rm smollm2 --weights", &MakeModelRm},
      {"key create", "Make an API key; it is shown once",
       "atelier key create shop-page --scope generate --scope feedback --requests-per-minute 60\n"
       "atelier key create trial --tokens-per-day 100000 --days 30 --json",
       &MakeKeyCreate},
      {"key list", "List the studio's API keys", "atelier key list --all --json", &MakeKeyList},
      {"key revoke", "Make an API key stop working", "atelier key revoke atl_3fQzT0aB", &MakeKeyRevoke},
      {"train", "Train a model from scratch as a configuration says",
       "atelier train poems.toml\natelier train poems.toml --resume", &MakeTrain},
      {"tune sft", "Teach a model replies by examples: a low-rank adapter beside it, or laid into it",
       "atelier tune sft -m smollm2 --data pairs.jsonl --validation held_out.jsonl --name helper\n"
       "atelier tune sft -m gemma3-270m --data rows.jsonl --prompt row --response text --format plain --merge q8_0",
       &MakeTuneSft},
      {"tune distil", "Teach a small model what a greater one says of replies (knowledge distillation)",
       "atelier tune distil -m small.gguf --teacher gemma3-270m+extract --data rows.jsonl --merge keep",
       &MakeTuneDistil},
      {"tune dpo", "Teach a model which of two replies is preferred (direct preference optimisation)",
       "atelier tune dpo -m smollm2 --data preferences.jsonl --validation held_out.jsonl --name liked", &MakeTuneDpo},
      {"tune ipo", "As tune dpo, by a loss that does not grow without bound",
       "atelier tune ipo -m smollm2 --data preferences.jsonl --beta 0.2", &MakeTuneIpo},
      {"tune orpo", "Teach a model the chosen replies and the preference at once, without a reference",
       "atelier tune orpo -m smollm2 --data preferences.jsonl --validation held_out.jsonl", &MakeTuneOrpo},
      {"tune reward", "Teach a model to say how good a reply is, by which of two was preferred (a reward model)",
       "atelier tune reward -m gemma3-270m --data preferences.jsonl --name taste\n"
       "atelier tune grpo -m gemma3-270m --data prompts.jsonl --scorer 'atelier reward -m gemma3-270m+taste'",
       &MakeTuneReward},
      {"tune kto", "Teach a model which replies are wanted and which are not, each judged by itself",
       "atelier tune kto -m smollm2 --data judged.jsonl --response text --label liked", &MakeTuneKto},
      {"tune grpo", "Teach a model what a scorer says of its own replies, group by group",
       "atelier tune grpo -m smollm2 --data prompts.jsonl --scorer 'python3 score.py' --samples 8", &MakeTuneGrpo},
      {"tune reinforce", "As tune grpo, without dividing by how far the scores of a group lie apart",
       "atelier tune reinforce -m smollm2 --data prompts.jsonl --scorer ./score --beta 0", &MakeTuneReinforce},
      {"tune rank", "Learn what readers prefer from what they chose: a ranker for texts, in seconds",
       "atelier tune rank --data choices.jsonl --name clicks\n"
       "atelier tune rank --data choices.jsonl --name clicks-zh --loss listwise --encoder e5-small --report "
       "clicks.html\n"
       "atelier tune rank --data edits.jsonl --chosen edited --rejected original --name house --features length,price",
       &MakeTuneRank},
      {"rank", "Put texts in the order in which readers are likely to prefer them",
       "atelier rank -m clicks '现磨咖啡，128元' '快来买！！！'\natelier rank -m clicks --input options.jsonl --json",
       &MakeRank},
      {"tune classify", "Teach an encoder the classes of texts: low-rank adapters beside it, and a layer behind it",
       "atelier tune classify -m e5-small --data reviews.jsonl --validation held_out.jsonl --name mood\n"
       "atelier tune classify -m minilm --data mails@2:train --text body --label team --labels billing,returns,other",
       &MakeTuneClassify},
      {"run search", "Train with other settings again and again, and say which are best",
       "atelier run search search.toml", &MakeRunSearch},
      {"run report", "Show a run of training as a page: curves, samples, settings",
       "atelier run report runs/poems --lang zh", &MakeRunReport},
      {"run curves", "Draw one number of several runs as one picture",
       "atelier run curves runs/poems-gpt runs/poems-lstm --metric validation/loss --out curves.svg", &MakeRunCurves},
      {"index add", "Put documents into an index, to be searched",
       "atelier index add handbook docs/ --field team=sales\natelier index add reviews reviews.jsonl --text-field body",
       &MakeIndexAdd},
      {"index list", "List the studio's indexes", "atelier index list --json", &MakeIndexList},
      {"index show", "Show what an index holds", "atelier index show handbook", &MakeIndexShow},
      {"index delete", "Take documents out of an index", "atelier index delete handbook docs/old.md", &MakeIndexDelete},
      {"index read-html", "", "", &MakeIndexReadHtml},
      {"index rm", "Take an index away", "atelier index rm handbook", &MakeIndexRm},
      {"search", "Find the passages of an index that answer a question, with where they stand",
       "atelier search handbook 'how long is the warranty' -k 3\natelier search handbook 退货 --filter lang=zh --json",
       &MakeSearch},
      {"audit", "Show the studio's audit trail", "atelier audit\natelier audit --subject smollm2 --limit 10 --json",
       &MakeAudit},
      {"data import", "Make files, folders and tables the next version of a dataset",
       "atelier data import reviews.csv --name reviews\natelier data import manual/ --name manual --licence CC-BY-4.0\n"
       "atelier data import postgresql://shop@db/sales --table orders --name orders",
       &MakeDataImport},
      {"data list", "List the studio's datasets", "atelier data list --all", &MakeDataList},
      {"data show", "Show what a dataset holds",
       "atelier data show reviews --html reviews.html\natelier data show reviews@2 --head 5", &MakeDataShow},
      {"data diff", "Show what differs between two versions of a dataset",
       "atelier data diff reviews@1 reviews@2 --key order_id", &MakeDataDiff},
      {"data export", "Write a dataset as JSON lines or CSV",
       "atelier data export reviews --out train.jsonl --split train\n"
       "atelier data export reviews --out reviews.csv --fields title,price --guard-formulas --bom",
       &MakeDataExport},
      {"data rm", "Remove a version of a dataset, or all of them, with the objects that nothing else refers to",
       "atelier data rm reviews@1", &MakeDataRm},
      {"data read-html", "", "", &MakeDataReadHtml},
      {"data dedup", "Leave equal and near duplicates out of a dataset",
       "atelier data dedup reviews --field text\natelier data dedup news --threshold 0.7 --keep newest:date --json",
       &MakeDataDedup},
      {"data split", "Divide a dataset into train, valid and test without leaks",
       "atelier data split reviews --stratify label\natelier data split visits --group reader --train 0.9 --valid 0 "
       "--test 0.1\natelier data split orders --time ordered_at",
       &MakeDataSplit},
      {"data merge", "Make one dataset of several, records with the same key one record",
       "atelier data merge products shop catalogue --key sku --on-conflict newest:updated\n"
       "atelier data merge people crm forms --config merge.toml --json",
       &MakeDataMerge},
      {"data augment", "Add changed copies of a dataset's training records",
       "atelier data augment reviews --config augment.toml", &MakeDataAugment},
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
      {"check", "Hold texts against a recipe's own checks, line by line as they come",
       "atelier check ad_copy --input copy.jsonl --json\n"
       "atelier tune grpo -m smollm2 --data rows.jsonl --scorer 'atelier check ad_copy --variant headlines --reply "
       "headline "
       "--ignore prompt --scores'",
       &MakeCheck},
      {"tokenize", "Show what a model's tokenizer makes of a text, line by line",
       "atelier tokenize -m smollm2 --text notes.txt --json\natelier tokenize -m tokenizer.json --text notes.txt",
       &MakeTokenize},
      {"tokenizer train", "Learn a vocabulary from texts: byte-level BPE or unigram",
       "atelier tokenizer train --type bpe --vocab-size 8192 notes.txt reviews.jsonl --out tokenizer.json\n"
       "atelier tokenizer train --type unigram --vocab-size 16000 reviews --text-field body --held-out 0.01 --out "
       "tokenizer.json",
       &MakeTokenizerTrain},
      {"segment", "Cut Chinese text into words, line by line",
       "atelier segment --text notes.txt\natelier segment --text - --segmenter icu --user-dict words.txt --json",
       &MakeSegment},
      {"generate", "Continue a text with a model",
       "atelier generate -m gemma3-270m -p '产品：手冲咖啡壶\\n文案：' --max-tokens 40\n"
       "atelier generate -m smollm2 --chat -p 'Name three uses of beeswax.' --temperature 0 --json\n"
       "atelier generate -m gemma3-270m+extract --input listings.jsonl --field prompt --out rows.jsonl --temperature 0",
       &MakeGenerate},
      {"reward", "Say how good replies are, by a model that was taught so (tune reward)",
       "atelier reward -m gemma3-270m+taste < replies.jsonl", &MakeReward},
      {"classify", "Say the class of each text, with the chance of every class",
       "atelier classify -m mood --input new.jsonl --out predictions.jsonl\n"
       "atelier classify -m gemma3-270m+mood --input new.jsonl --out predictions.jsonl --labels "
       "positive=好评,negative=差评 "
       "--template '{{ text }} 这是'",
       &MakeClassify},
      {"embed", "Turn texts into vectors",
       "atelier embed -m e5-small '手冲咖啡壶' 'a kettle for coffee' 'stock prices'\natelier embed -m e5-small --role "
       "query --json < "
       "questions.txt",
       &MakeEmbed},
      {"chat", "Talk with a model", "atelier chat -m smollm2\necho 'Hello!' | atelier chat -m smollm2", &MakeChat},
      {"serve", "Put the studio on the network: OpenAI's API for its models, its last page",
       "atelier serve\natelier serve --listen 0.0.0.0:8080 --tls-certificate cert.pem --tls-key key.pem", &MakeServe},
      {"bench", "Measure how fast a model runs here", "atelier bench -m smollm2 -p 512 -n 128 -t 2 --json", &MakeBench},
      {"evaluate divergence", "Measure how far a copy of a model is from the original",
       "atelier evaluate divergence -m poems-q4.gguf --original poems --text unseen.txt --json",
       &MakeEvaluateDivergence},
      {"evaluate perplexity", "Measure how well a model predicts a text",
       "atelier evaluate perplexity -m gemma3-270m --text novel.txt --ctx 512 --json", &MakeEvaluatePerplexity},
      {"evaluate ngram", "Measure how well counted characters predict texts: the baseline of bits per character",
       "atelier evaluate ngram --train train.jsonl --input test.jsonl --order 5 --json", &MakeEvaluateNgram},
      {"evaluate segmentation", "Measure how well a segmenter finds the words of a marked text",
       "atelier evaluate segmentation --corpus 199801.txt --segmenter zh --json\n"
       "atelier evaluate segmentation --gold test.txt --train train.txt --segmenter icu",
       &MakeEvaluateSegmentation},
      {"evaluate retrieval", "Measure how well an index finds what questions ask for",
       "atelier evaluate retrieval debian --questions recipes/ask_docs/tests/questions.jsonl --half tuning",
       &MakeEvaluateRetrieval},
      {"evaluate suite", "Run cases through a recipe's variants and models, and hold what they make against cut-offs",
       "atelier evaluate suite recipes/ad_copy/tests/suite.toml --out out/suite\n"
       "atelier evaluate suite suite.toml --arm phrases --baseline released/results.json --json",
       &MakeEvaluateSuite},
      {"evaluate bleu", "Hold texts against references: words and phrases shared (BLEU)",
       "atelier evaluate bleu --hyp out.txt --ref ref.txt --json\n"
       "atelier evaluate bleu --hyp out.txt --ref a.txt --ref b.txt --tokenize zh --bootstrap 1000\n"
       "atelier evaluate bleu --hyp new.txt --ref ref.txt --baseline old.txt --report new.html",
       &MakeEvaluateBleu},
      {"evaluate chrf", "Hold texts against references: characters shared (chrF, chrF++)",
       "atelier evaluate chrf --hyp out.txt --ref ref.txt --json\n"
       "atelier evaluate chrf --hyp out.txt --ref ref.txt --word-order 2 --sentence",
       &MakeEvaluateChrf},
      {"evaluate ter", "Hold texts against references: edits needed (TER)",
       "atelier evaluate ter --hyp out.txt --ref ref.txt --json\n"
       "atelier evaluate ter --hyp out.txt --ref ref.txt --normalized --asian-support",
       &MakeEvaluateTer},
      {"evaluate bertscore", "Hold texts against references: how near every token's meaning is (BERTScore)",
       "atelier evaluate bertscore --hyp out.txt --ref ref.txt --json\n"
       "atelier evaluate bertscore --hyp new.txt --ref a.txt --ref b.txt -m e5-small --idf --baseline old.txt",
       &MakeEvaluateBertScore},
      {"evaluate faithful", "Find numbers and names that a text has and its source has not",
       "atelier evaluate faithful --hyp copy.txt --source sheet.txt --json\n"
       "atelier evaluate faithful --hyp copy.txt --source sheet.txt --surface",
       &MakeEvaluateFaithful},
      {"evaluate style", "Measure how much texts are like the texts of a house",
       "atelier evaluate style --hyp new.txt --ref house.txt --json\n"
       "atelier evaluate style --hyp new.txt --ref house.txt -m e5-small -k 5 --sentence",
       &MakeEvaluateStyle},
      {"evaluate classification", "Measure predicted labels: precision, recall, F1, curves, calibration",
       "atelier evaluate classification --true true.txt --pred pred.txt --scores scores.txt --json\n"
       "atelier evaluate classification predictions.jsonl\n"
       "atelier evaluate classification --true true.txt --pred pred.txt --scores scores.txt --report roc.png "
       "--report-figure roc\n"
       "atelier evaluate classification --true true.txt --pred pred.txt --classes 好评,中评,差评",
       &MakeEvaluateClassification},
      {"evaluate regression", "Measure predicted numbers",
       "atelier evaluate regression --true true.txt --pred pred.txt", &MakeEvaluateRegression},
      {"evaluate ranking", "Measure how well scores rank things of graded worth",
       "atelier evaluate ranking --true gains.txt --scores scores.txt -k 5 --json", &MakeEvaluateRanking},
      {"evaluate agreement", "Measure how well people's ratings agree beyond chance",
       "atelier evaluate agreement --ratings ratings.csv --items text\n"
       "atelier evaluate agreement --ratings ratings.csv --order bad,fair,good --json\n"
       "atelier evaluate agreement --ratings anna.csv --ratings ben.jsonl --form form.html --report agreement.html",
       &MakeEvaluateAgreement},
      {"evaluate form", "Make a form on which people rate items: one HTML file that needs no network",
       "atelier evaluate form --input items.csv --form rubric.toml --out form.html --lang zh\n"
       "atelier evaluate form --input items.jsonl --form rubric.toml --out form.html --blind --seed 7",
       &MakeEvaluateForm},
      {"evaluate judge", "Measure how well a judge agrees with people",
       "atelier evaluate judge judge_copy --input recipes/judge_copy/sample/planted.jsonl --human planted_clear=clear\n"
       "atelier evaluate judge judge_copy --input rated.csv --human anna=clear --human ben=clear --least-kappa 0.4",
       &MakeEvaluateJudge},
      {"evaluate rouge", "Compare summaries with references: ROUGE-1, -2, -L, -Lsum",
       "atelier evaluate rouge --hyp out.txt --ref ref.txt --stem --json\n"
       "atelier evaluate rouge --hyp new.txt --ref ref.txt --tokenize zh --baseline old.txt",
       &MakeEvaluateRouge},
      {"evaluate meteor", "Compare texts with references by words, stems and their order",
       "atelier evaluate meteor --hyp out.txt --ref ref.txt --bootstrap 1000", &MakeEvaluateMeteor},
      {"evaluate exact-match", "Compare short answers with the right ones: exact match, token F1",
       "atelier evaluate exact-match --hyp answers.txt --ref right.txt --ref other.txt --tokenize zh",
       &MakeEvaluateExactMatch},
      {"evaluate diversity", "Measure how varied texts are: distinct-n, entropy, self-BLEU, repetition",
       "atelier evaluate diversity --hyp out.txt --json\n"
       "atelier evaluate diversity --hyp out.txt --tokenize zh-words --n 5\n"
       "atelier evaluate diversity --hyp big.txt --sample 10000 --seed 7",
       &MakeEvaluateDiversity},
      {"evaluate readability", "Measure how hard a text is to read, in English or Chinese",
       "atelier evaluate readability --text page.txt --json", &MakeEvaluateReadability},
  };
  return list;
}

}  // namespace atelier::app
