#include "runtime/quantise.h"

#include <algorithm>

#include "artefact/gguf_writer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "runtime/convert_rows.h"

namespace atelier::runtime {
namespace {

using artefact::TensorInfo;
using artefact::TensorType;
using kernel::Format;

struct Choice {
  std::string_view name;
  Format format;
  uint32_t file_type;  // GGUF's general.file_type
};
constexpr Choice kChoices[] = {
    {"f32", Format::kF32, 0},    {"f16", Format::kF16, 1},    {"bf16", Format::kBF16, 32}, {"q8_0", Format::kQ8_0, 7},
    {"q6_k", Format::kQ6_K, 18}, {"q5_k", Format::kQ5_K, 17}, {"q5_1", Format::kQ5_1, 9},  {"q5_0", Format::kQ5_0, 8},
    {"q4_k", Format::kQ4_K, 15}, {"q4_1", Format::kQ4_1, 3},  {"q4_0", Format::kQ4_0, 2},
};

bool IsFloat(Format format) { return format == Format::kF32 || format == Format::kF16 || format == Format::kBF16; }
bool IsSuper(Format format) { return kernel::Info(format).block == 256; }

// Of layers 0 to n-1, those whose values and way down get more bits.
bool MoreBits(int64_t layer, int64_t n) { return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2; }

// The layer of "blk.7.attn_v.weight"; -1 outside of layers.
int64_t LayerOf(std::string_view name) {
  if (!name.starts_with("blk.")) return -1;
  int64_t layer = 0;
  size_t i = 4;
  for (; i < name.size() && name[i] >= '0' && name[i] <= '9' && layer < (1 << 20); ++i)
    layer = 10 * layer + (name[i] - '0');
  return i > 4 && i < name.size() && name[i] == '.' ? layer : -1;
}

class Plan {
 public:
  Plan(const artefact::GgufFile& file, Format format) : format_(format) {
    for (const TensorInfo& tensor : file.tensors()) layers_ = std::max(layers_, LayerOf(tensor.name) + 1);
    tied_ = file.Find("output.weight") == nullptr;
  }

  Format For(const TensorInfo& tensor) const {
    const Format now = FormatOf(tensor.type);
    const std::string_view name = tensor.name;
    const bool matrix = tensor.shape.size() == 2 && tensor.dim(1) > 1 && name.ends_with(".weight");
    const bool positions = name == "position_embd.weight" || name == "token_types.weight";
    if (!matrix || positions || name.find("_norm.") != std::string_view::npos) return now;
    if (IsFloat(format_)) return format_;
    const bool low = kernel::StretchOf(format_).bits < 6;
    const bool head = name == "output.weight" || (tied_ && name == "token_embd.weight");
    const bool wide = low && (head || (IsSuper(format_) && WantsMoreBits(name)));
    return FittingFormat(wide ? Format::kQ6_K : format_, tensor.dim(0));
  }

 private:
  bool WantsMoreBits(std::string_view name) const {
    const int64_t layer = LayerOf(name);
    return layer >= 0 && (name.ends_with(".attn_v.weight") || name.ends_with(".ffn_down.weight")) &&
           MoreBits(layer, layers_);
  }

  Format format_;
  int64_t layers_ = 0;
  bool tied_ = false;
};

}  // namespace

std::vector<std::string> QuantisationNames() {
  std::vector<std::string> names;
  for (const Choice& choice : kChoices) names.emplace_back(choice.name);
  return names;
}

Format QuantisationNamed(std::string_view name) {
  const std::string lower = ToLowerAscii(name);
  for (const Choice& choice : kChoices) {
    if (choice.name == lower) return choice.format;
  }
  throw Error(Code::kInvalidInput, Cat("there is no type ", Quote(name)),
              Cat("types: ", Join(QuantisationNames(), " ")));
}

QuantiseReport QuantiseModel(const artefact::GgufFile& file, const QuantiseOptions& options, const std::string& to,
                             const ProgressFn& progress) {
  const Format format = options.format;
  file.RequireSupportedTypes();
  if (SameFile(file.path(), to)) {
    throw Error(Code::kConflict, Cat(to, " is the model itself"), "name another file");
  }
  ThreadPool pool(options.threads > 0 ? options.threads : ThreadPool::DefaultThreads());
  artefact::GgufWriter writer;
  const auto* choice =
      std::find_if(std::begin(kChoices), std::end(kChoices), [&](const Choice& c) { return c.format == format; });
  writer.CopyKeys(file, {"general.file_type", "general.quantization_version"});
  writer.Set("general.file_type", choice->file_type);
  if (!options.licence.empty() && !file.Has("general.license")) writer.Set("general.license", options.licence);
  if (!IsFloat(format)) writer.Set("general.quantization_version", uint32_t{2});

  QuantiseReport report;
  report.bytes_before = file.file_bytes();
  const Plan plan(file, format);
  uint64_t total = 0, done = 0;
  for (const TensorInfo& tensor : file.tensors()) {
    const Format from = FormatOf(tensor.type), into = plan.For(tensor);
    QuantiseReport::Sum& sum = report.types[std::string(kernel::Info(into).name)];
    ++sum.tensors;
    sum.bytes += static_cast<uint64_t>(tensor.elements() / kernel::Info(into).block * kernel::Info(into).bytes);
    if (from == into) {
      writer.CopyTensor(tensor);
      continue;
    }
    total += tensor.bytes;
    if (!IsFloat(from) && !IsFloat(into)) ++report.again;
    const std::vector<float>* columns = ColumnsOf(options.importance, tensor);
    writer.AddTensor(tensor.name, TypeOf(into), tensor.shape, [&, into, columns] {
      std::string bytes = ConvertRows(file, tensor, {.to = into, .importance = columns}, &pool);
      done += tensor.bytes;
      if (progress) progress(done, total, tensor.name);
      return bytes;
    });
  }
  writer.Write(to);
  report.bytes_after = FileSize(to);
  return report;
}

}  // namespace atelier::runtime
