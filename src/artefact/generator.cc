#include "artefact/generator.h"

namespace atelier::artefact {

std::string_view Name(Finish finish) {
  switch (finish) {
    case Finish::kEnd: return "end";
    case Finish::kStop: return "stop";
    case Finish::kLength: return "length";
    case Finish::kCancelled: return "cancelled";
  }
  return "end";
}

std::shared_ptr<Ticket> Generator::Submit(GenerateRequest request, StreamFn stream, DoneFn done) {
  struct Ended : Ticket {
    void Cancel() override {}
  };
  GenerateResult result;
  std::exception_ptr error;
  try {
    result = Generate(request, stream);
  } catch (...) {
    error = std::current_exception();
  }
  done(std::move(result), error);
  return std::make_shared<Ended>();
}

}  // namespace atelier::artefact
