// A model as one client's run sees it: its requests bear the client's name, wait where the engine has no room for them,
// and end at once when the run is cancelled.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artefact/generator.h"

namespace atelier::serve {

// What the models of one run share: its requests, so that all can be cancelled together, and what they used. From any
// thread.
class ClientRun {
 public:
  void Cancel();
  bool cancelled() const;
  void Add(const std::shared_ptr<artefact::Ticket>& ticket);  // cancels it at once where the run is
  void Count(const artefact::GenerateResult& result);
  // Prompts count once, however many samples continue them; what is only scored is not counted.
  int64_t prompt_tokens() const;
  int64_t output_tokens() const;

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  int64_t prompt_tokens_ = 0, output_tokens_ = 0;
  std::vector<std::weak_ptr<artefact::Ticket>> tickets_;
};

std::shared_ptr<artefact::Generator> ForClient(std::shared_ptr<artefact::Generator> model, std::string owner,
                                               std::shared_ptr<ClientRun> run);

}  // namespace atelier::serve
