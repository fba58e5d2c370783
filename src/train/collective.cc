#include "train/collective.h"

#include <cstdlib>

#include "base/error.h"

#ifdef ATELIER_MPI
#include <mpi.h>

#include <exception>
#include <vector>

#include "base/str.h"
#endif

namespace atelier::train {
namespace {

class One : public Collective {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void BeginSum(std::span<float>) override {}
  void Finish() override {}
  void Sum(std::span<double>) override {}
  void Broadcast(std::span<float>) override {}
};

#ifdef ATELIER_MPI

class Mpi : public Collective {
 public:
  Mpi() {
    int provided = 0;
    Check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "starting");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  // Where this process fails, the others must not wait for it.
  ~Mpi() override {
    if (std::uncaught_exceptions() > 0) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void BeginSum(std::span<float> values) override {
    // What is under way moves on only while MPI is called.
    int done = 0;
    if (!requests_.empty()) MPI_Testall(Count(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE);
    if (done != 0) requests_.clear();
    requests_.emplace_back();
    Check(MPI_Iallreduce(MPI_IN_PLACE, values.data(), Count(values.size()), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD,
                         &requests_.back()),
          "adding gradients up");
  }
  void Finish() override {
    Check(MPI_Waitall(Count(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "adding gradients up");
    requests_.clear();
  }
  void Sum(std::span<double> values) override {
    Check(MPI_Allreduce(MPI_IN_PLACE, values.data(), Count(values.size()), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD),
          "adding numbers up");
  }
  void Broadcast(std::span<float> values) override {
    Check(MPI_Bcast(values.data(), Count(values.size()), MPI_FLOAT, 0, MPI_COMM_WORLD), "handing parameters out");
  }

 private:
  static int Count(size_t n) { return static_cast<int>(n); }  // arenas are cut into buckets far below 2^31
  static void Check(int code, const char* doing) {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw Error(Code::kUnavailable, Cat("MPI, ", doing, ": ", std::string_view(text, static_cast<size_t>(length))));
  }

  int rank_ = 0, size_ = 1;
  std::vector<MPI_Request> requests_;
};

#endif

}  // namespace

std::unique_ptr<Collective> Alone() { return std::make_unique<One>(); }

bool StartedByMpi() { return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMI_SIZE") != nullptr; }

std::unique_ptr<Collective> MpiCollective() {
#ifdef ATELIER_MPI
  return std::make_unique<Mpi>();
#else
  throw Error(Code::kUnsupported, "this build trains in one process: it was made without MPI",
              "install libopenmpi-dev and build again");
#endif
}

}  // namespace atelier::train
