#include "artefact/generator.h"

#include <condition_variable>
#include <mutex>

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

void Generator::Distributions(std::span<const int32_t>, size_t, const DistributionFn&) {
  throw Error(Code::kUnsupported, "the model does not tell its distributions");
}

std::vector<GenerateResult> GenerateAll(Generator& model, const std::vector<GenerateRequest>& requests,
                                        const StreamFn& stream) {
  std::mutex mutex;
  std::condition_variable ended;
  size_t running = 0;
  std::exception_ptr failure;
  std::vector<GenerateResult> results(requests.size());
  const auto fail = [&](std::exception_ptr error) {
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(error);
  };
  const auto failed = [&] {
    const std::lock_guard lock(mutex);
    return failure != nullptr;
  };
  StreamFn guarded;
  if (stream) {
    guarded = [&](int sample, const StreamPiece& piece) {
      if (failed()) return false;
      try {
        return stream(sample, piece);
      } catch (...) {
        fail(std::current_exception());
        return false;
      }
    };
  }
  for (size_t i = 0; i < requests.size() && !failed(); ++i) {
    {
      const std::lock_guard lock(mutex);
      ++running;
    }
    try {
      model.Submit(requests[i], guarded, [&, i](GenerateResult result, std::exception_ptr error) {
        const std::lock_guard lock(mutex);
        results[i] = std::move(result);
        if (error && !failure) failure = error;
        --running;
        ended.notify_all();
      });
    } catch (...) {
      fail(std::current_exception());
      const std::lock_guard lock(mutex);
      --running;
    }
  }
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return running == 0; });
  if (failure) std::rethrow_exception(failure);
  return results;
}

}  // namespace atelier::artefact
