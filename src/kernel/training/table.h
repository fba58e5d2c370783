// The kernels of training as one table of functions per instruction set, chosen once (select.h).
//
// Products take bf16 and add up in f32; everything else computes in f32. Every sum has a fixed order that depends on
// the shapes alone: where a function takes a range, the caller may cut the work into any ranges, on any number of
// threads, and gets the same bits. Kernels never allocate, never throw, trust their arguments, and need no alignment
// beyond their types'; workspaces are the caller's. Why so, and how exact: docs/decisions/0026.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/format.h"
#include "kernel/training/attention.h"
#include "kernel/training/cell.h"
#include "kernel/training/loss.h"
#include "kernel/training/norm.h"
#include "kernel/training/optimise.h"
#include "kernel/training/product.h"
#include "kernel/training/query.h"

namespace atelier::kernel {

struct TrainTable {
  std::string_view name;  // "reference", "avx2", "avx512wide", "avx512", "amx"
  bool bf16;              // products have instructions of their own for it
  bool exact;             // ... and are of the numbers as they are, not of blocks_fixed.h's

  // Rows [row_begin, row_end) and panels [panel_begin, panel_end) of a product. Ranges of rows should start at
  // multiples of kProductPanel (they must where a_block is not kProductPanel * a_row).
  void (*product)(const Product* work, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
  // Null, or: products convert B before they multiply it, and may be given it converted (Product::blocks): the bytes of
  // such panels, and panels [panel_begin, panel_end) of them, of which depth [begin, end), cut at multiples of 128, is
  // there. Worth it where several ranges of rows read the same B.
  int64_t (*blocks_bytes)(int64_t cols, int64_t depth);
  void (*take_blocks)(const uint16_t* b, int64_t cols, int64_t depth, int64_t panel_begin, int64_t panel_end,
                      int64_t begin, int64_t end, void* out);
  // A weight matrix w [rows, cols] in both forms that training needs, in one pass over blocks of kProductPanel rows:
  // `forward` (contracts cols: X W^T) gets panels [block_begin, block_end), `backward` (contracts rows: dY W) gets the
  // blocks' rows of all its panels. Either may be null.
  void (*pack_weights)(const float* w, int64_t stride, int64_t rows, int64_t cols, int64_t block_begin,
                       int64_t block_end, uint16_t* forward, uint16_t* backward);
  // The same of a matrix that lies in blocks of a format, its rows `row_bytes` apart; weights become bf16 at once.
  void (*pack_blocks)(Format format, const uint8_t* w, int64_t row_bytes, int64_t rows, int64_t cols,
                      int64_t block_begin, int64_t block_end, uint16_t* forward, uint16_t* backward);
  // The same of activations x [rows, cols], which are contracted over their rows (dY^T X): panels [panel_begin,
  // panel_end) of columns. `column_sums` [cols], where not null, gets += the sums of those columns.
  void (*interleave)(const uint16_t* x, int64_t stride, int64_t rows, int64_t cols, int64_t panel_begin,
                     int64_t panel_end, uint16_t* out, float* column_sums);
  // sums[c] += the sum over all rows of x[., c] for columns [begin, end).
  void (*column_sums)(const uint16_t* x, int64_t stride, int64_t rows, int64_t begin, int64_t end, float* sums);
  // f32 to bf16, to nearest even; and back. [n]
  void (*narrow)(const float* x, int64_t n, uint16_t* out);
  void (*widen)(const uint16_t* x, int64_t n, float* out);

  // Optimisers (optimise.h). `momentum` of sgd may be null.
  void (*adamw)(const Arena* arena, const AdamW* how, float* first, float* second);
  void (*sgd)(const Arena* arena, const Sgd* how, float* momentum);
  void (*lion)(const Arena* arena, const Lion* how, float* momentum);
  // The sum of x^2 in double, in pieces of kSumPiece: the same to the bit when the caller takes the pieces by
  // themselves and adds them in order. [n]
  double (*sum_squares)(const float* x, int64_t n);

  // The output head with cross-entropy (loss.h). Rows begin at even numbers.
  void (*head_scores)(const HeadLoss* work, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
  void (*head_finish)(const HeadLoss* work, int64_t row_begin, int64_t row_end);

  // Attention (attention.h): units [begin, end) of sequences * kv_heads.
  void (*attend_forward)(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void* workspace);
  void (*attend_backward)(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void* workspace);

  // Normalisation (norm.h): rows; blocks of kNormBlock rows. sums[c] += the sum over rows of parts[., c] (of `cols`
  // columns), for columns [begin, end): what becomes of the blocks' d_weight.
  void (*norm_forward)(const RowNorm* work, int64_t row_begin, int64_t row_end);
  void (*norm_backward)(const RowNorm* work, int64_t block_begin, int64_t block_end);
  void (*sum_rows)(const float* parts, int64_t rows, int64_t cols, int64_t begin, int64_t end, float* sums);
  // out = act(gate) * up, and back. [n] of one row; out may be up, d_gate and d_up may be gate and up.
  void (*gated_forward)(Activation act, const uint16_t* gate, const uint16_t* up, int64_t n, uint16_t* out);
  void (*gated_backward)(Activation act, const uint16_t* gate, const uint16_t* up, const uint16_t* d_out, int64_t n,
                         uint16_t* d_gate, uint16_t* d_up);
  // Dropout of numbers [first, first + n) of a stream, and of their gradient; first is a multiple of kDropoutChunk. out
  // may be x.
  void (*drop)(const Dropout* how, int64_t first, const float* x, int64_t n, float* out);
  void (*drop16)(const Dropout* how, int64_t first, const uint16_t* x, int64_t n, uint16_t* out);
  void (*rotate)(const Rotation* work, int64_t row_begin, int64_t row_end);

  // Recurrent cells (cell.h): hidden units [begin, end) of all sequences.
  void (*lstm_forward)(const LstmCell* work, int64_t unit_begin, int64_t unit_end);
  void (*lstm_backward)(const LstmCell* work, int64_t unit_begin, int64_t unit_end);
  void (*gru_forward)(const GruCell* work, int64_t unit_begin, int64_t unit_end);
  void (*gru_backward)(const GruCell* work, int64_t unit_begin, int64_t unit_end);
  // Attention of one query per sequence (query.h): sequences [begin, end).
  void (*query_forward)(const QueryAttention* work, int64_t begin, int64_t end);
  void (*query_backward)(const QueryAttention* work, int64_t begin, int64_t end);
};

const TrainTable& ReferenceTrainTable();
const TrainTable* Avx2TrainTable();    // null where the compiler or the machine has it not
const TrainTable* Avx512TrainTable();  // F, BW, DQ, VL and BF16
const TrainTable* WideTrainTable();    // F, BW, DQ, VL
const TrainTable* AmxTrainTable();     // the same and AMX's tiles of BF16

}  // namespace atelier::kernel
