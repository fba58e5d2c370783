// The kernels of one set of instructions, in order. Included in its anonymous namespace after vector_*.h.
#include "kernel/training/math-inl.h"
#include "kernel/training/product-inl.h"
//
#include "kernel/training/pack-inl.h"
#include "kernel/training/unpack-inl.h"
//
#include "kernel/training/optimise-inl.h"
//
#include "kernel/training/norm-inl.h"
//
#include "kernel/training/cell-inl.h"
//
#include "kernel/training/query-inl.h"
//
#include "kernel/training/loss-inl.h"
//
#include "kernel/training/attention-inl.h"

constexpr TrainTable MakeTable(const char* name) {
  return {.name = name,
          .bf16 = !kConverts,
          .exact = kExactBlocks,
          .product = Multiply,
          .blocks_bytes = kSmallBlocks ? BlocksBytes : nullptr,
          .take_blocks = kSmallBlocks ? TakeBlocks : nullptr,
          .pack_weights = PackWeights,
          .pack_blocks = PackBlocks,
          .interleave = Interleave,
          .column_sums = ColumnSums,
          .narrow = NarrowAll,
          .widen = WidenAll,
          .adamw = StepAdamW,
          .sgd = StepSgd,
          .lion = StepLion,
          .sum_squares = SumSquares,
          .head_scores = HeadScores,
          .head_finish = HeadFinish,
          .attend_forward = AttendForward,
          .attend_backward = AttendBackward,
          .norm_forward = NormForward,
          .norm_backward = NormBackward,
          .sum_rows = SumRows,
          .gated_forward = GatedForward,
          .gated_backward = GatedBackward,
          .drop = Drop,
          .drop16 = Drop16,
          .rotate = Rotate,
          .lstm_forward = LstmForward,
          .lstm_backward = LstmBackward,
          .gru_forward = GruForward,
          .gru_backward = GruBackward,
          .query_forward = QueryForward,
          .query_backward = QueryBackward};
}
