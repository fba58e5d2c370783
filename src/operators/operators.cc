#include "operators/operators.h"

#include "operators/answer.h"
#include "operators/check.h"
#include "operators/compose.h"
#include "operators/extract.h"
#include "operators/generate_text.h"
#include "operators/judge.h"
#include "operators/rank.h"
#include "operators/render.h"
#include "operators/retrieve.h"
#include "operators/score.h"
#include "operators/select.h"

namespace atelier::operators {

std::span<const recipe::OperatorEntry> AllOperators() {
  static const std::vector<recipe::OperatorEntry> list = {
      {"retrieve", "finds passages of the studio's indexes and gives them to the steps after it", &MakeRetrieve},
      {"answer", "answers from passages in their own sentences, with citations, or says that it is not there",
       &MakeAnswer},
      {"compose", "writes candidates from a grammar of phrases: every fact as the sheet has it", &MakeCompose},
      {"generate.text", "writes candidates with a language model, field by field", &MakeGenerateText},
      {"extract", "the output's fields out of a text, by a language model held to their form", &MakeExtract},
      {"score", "how likely a language model finds each candidate after the sheet", &MakeScore},
      {"rank", "how likely each candidate is preferred, by a ranker that learned from choices", &MakeRank},
      {"judge", "rates records on criteria with a language model held to the scale, or says why it cannot", &MakeJudge},
      {"check", "drops what fails a declared list of checks, asks the writers again", &MakeCheck},
      {"select", "ranks by declared weights, chooses one and different runner-ups", &MakeSelect},
      {"render", "writes JSON lines and pages from templates", &MakeRender},
  };
  return list;
}

}  // namespace atelier::operators
