#include "retrieve/dense.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/str.h"
#include "kernel/select.h"
#include "retrieve/filter.h"

// hnswlib chooses its distances by compiler flags; ours are the kernels'.
#define NO_MANUAL_VECTORIZATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace atelier::retrieve {
namespace {

constexpr size_t kLinks = 16, kBuildWidth = 200, kSearchWidth = 192;

// A vector in eight bits: [dims] values, then its scale.
struct Eight {
  static size_t Bytes(int dims) { return static_cast<size_t>(dims) + sizeof(float); }
  static void Write(const float* from, int dims, char* to) {
    float most = 0;
    for (int i = 0; i < dims; ++i) most = std::max(most, std::fabs(from[i]));
    const float scale = most > 0 && std::isfinite(most) ? most / 127 : 1;
    for (int i = 0; i < dims; ++i) {
      const float value = std::isfinite(from[i]) ? std::clamp(std::nearbyint(from[i] / scale), -127.0F, 127.0F) : 0;
      to[i] = static_cast<char>(static_cast<int8_t>(value));
    }
    std::memcpy(to + dims, &scale, sizeof(scale));
  }
};

struct SpaceParams {
  size_t dims;
  int32_t (*dot)(const int8_t*, const int8_t*, int64_t);
};

float Distance(const void* a, const void* b, const void* params) {
  const auto* space = static_cast<const SpaceParams*>(params);
  float sa, sb;
  std::memcpy(&sa, static_cast<const char*>(a) + space->dims, sizeof(sa));
  std::memcpy(&sb, static_cast<const char*>(b) + space->dims, sizeof(sb));
  const int32_t dot =
      space->dot(static_cast<const int8_t*>(a), static_cast<const int8_t*>(b), static_cast<int64_t>(space->dims));
  return 1 - static_cast<float>(dot) * sa * sb;
}

class EightSpace : public hnswlib::SpaceInterface<float> {
 public:
  explicit EightSpace(int dims) : params_{static_cast<size_t>(dims), kernel::BestTable().dot_bytes} {}
  size_t get_data_size() override { return params_.dims + sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return &Distance; }
  void* get_dist_func_param() override { return &params_; }

 private:
  SpaceParams params_;
};

void KeepBest(std::vector<Scored>* all, size_t k) {
  if (all->size() > k) {
    std::nth_element(all->begin(), all->begin() + static_cast<std::ptrdiff_t>(k), all->end());
    all->resize(k);
  }
  std::sort(all->begin(), all->end());
}

}  // namespace

struct Dense::Graph {
  explicit Graph(int dims) : space(dims) {}
  EightSpace space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> net;
};

Dense::Dense(std::shared_ptr<const Segment> segment, const std::string& graph) : segment_(std::move(segment)) {
  if (graph.empty()) return;
  graph_ = std::make_unique<Graph>(segment_->dims());
  try {
    graph_->net = std::make_unique<hnswlib::HierarchicalNSW<float>>(&graph_->space, graph);
  } catch (const std::exception& e) {
    throw Error(Code::kCorrupt, Cat(graph, ": ", e.what()), "make the index anew");
  }
  if (graph_->net->cur_element_count != segment_->chunks()) {
    throw Error(Code::kCorrupt, Cat(graph, ": belongs to another part of the index"), "make the index anew");
  }
}

Dense::~Dense() = default;

bool Dense::has_graph() const { return graph_ != nullptr; }

void Dense::BuildGraph(const Segment& segment, const std::string& path, const ProgressFn& progress) {
  EightSpace space(segment.dims());
  hnswlib::HierarchicalNSW<float> net(&space, segment.chunks(), kLinks, kBuildWidth, /*random_seed=*/100);
  std::string eight(Eight::Bytes(segment.dims()), '\0');
  for (uint32_t i = 0; i < segment.chunks(); ++i) {
    Eight::Write(segment.vectors() + size_t{i} * static_cast<size_t>(segment.dims()), segment.dims(), eight.data());
    net.addPoint(eight.data(), i);
    if (progress && i % 512 == 0) progress(i, segment.chunks(), "");
  }
  net.saveIndex(path);
  // saveIndex says nothing of a full disk; a file that ends early is caught here.
  if (!FileExists(path) || FileSize(path) < uint64_t{segment.chunks()} * Eight::Bytes(segment.dims())) {
    throw Error(Code::kIo, Cat(path, ": could not be written"), "is the disk full?");
  }
}

std::vector<Scored> Dense::Exact(const float* query, size_t k, const Allowed& allowed, uint32_t number) const {
  const kernel::Table& kernels = kernel::BestTable();
  const int dims = segment_->dims();
  std::vector<Scored> best;
  if (k == 0) return best;
  float threshold = -2;
  const size_t room = k * 4 + 256;  // pruned to k whenever it is full
  for (uint32_t chunk = 0; chunk < segment_->chunks(); ++chunk) {
    if (!IsAllowed(allowed, chunk)) continue;
    const float score = kernels.dot(query, segment_->vectors() + size_t{chunk} * static_cast<size_t>(dims), dims);
    if (score < threshold) continue;
    best.push_back({number, chunk, score});
    if (best.size() >= room) {
      KeepBest(&best, k);
      threshold = best.back().score;
    }
  }
  KeepBest(&best, k);
  return best;
}

std::vector<Scored> Dense::Search(const float* query, size_t k, const Allowed& allowed, uint32_t number) const {
  const uint64_t may = CountAllowed(allowed, segment_->chunks());
  if (graph_ == nullptr || may <= kExactUpTo / 8 || may * 20 < segment_->chunks())
    return Exact(query, k, allowed, number);
  const int dims = segment_->dims();
  std::string eight(Eight::Bytes(dims), '\0');
  Eight::Write(query, dims, eight.data());
  const double share = static_cast<double>(may) / segment_->chunks();
  auto width = std::max(kSearchWidth, static_cast<size_t>(static_cast<double>(k) * 1.2 / share));
  const kernel::Table& kernels = kernel::BestTable();
  while (true) {
    width = std::min<size_t>(width, segment_->chunks());
    auto found = graph_->net->searchKnn(eight.data(), width);
    std::vector<Scored> best;
    for (; !found.empty(); found.pop()) {
      const auto chunk = static_cast<uint32_t>(found.top().second);
      if (!IsAllowed(allowed, chunk)) continue;
      best.push_back(
          {number, chunk, kernels.dot(query, segment_->vectors() + size_t{chunk} * static_cast<size_t>(dims), dims)});
    }
    if (best.size() >= std::min<uint64_t>(k, may) || width == segment_->chunks()) {
      KeepBest(&best, k);
      return best;
    }
    if (width * 4 > segment_->chunks()) return Exact(query, k, allowed, number);  // what is allowed lies far away
    width *= 4;
  }
}

}  // namespace atelier::retrieve
