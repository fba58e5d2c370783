// A model as one client's run sees it: its requests bear the client's name, wait where the engine has no room for them,
// and end at once when the run is cancelled.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "artefact/generator.h"
#include "serve/tickets.h"

namespace atelier::serve {

// What the models of one run share: its requests, so that all can be cancelled together, and what they used. From any
// thread.
class ClientRun {
 public:
  Tickets tickets;

  void Count(const artefact::GenerateResult& result);
  // Prompts count once, however many samples continue them; what is only scored is not counted.
  int64_t prompt_tokens() const { return prompt_tokens_.load(); }
  int64_t output_tokens() const { return output_tokens_.load(); }

 private:
  std::atomic<int64_t> prompt_tokens_{0}, output_tokens_{0};
};

std::shared_ptr<artefact::Generator> ForClient(std::shared_ptr<artefact::Generator> model, std::string owner,
                                               std::shared_ptr<ClientRun> run);

}  // namespace atelier::serve
