// Plain arithmetic in double for what the kernels of training compute; private to the room. Calls nothing else of ours.
#pragma once

#include "kernel/training/table.h"

namespace atelier::kernel::reference {

double FromBrain(uint16_t bits);  // bf16
uint16_t ToBrain(double value);   // to nearest even, by way of f32
double Activate(Activation act, double x);
double Slope(Activation act, double x);
double Sigmoid(double x);

// Whether number i of a stream stays (norm.h), and the factor of those that do.
bool Kept(const Dropout& how, int64_t i);
double KeptScale(const Dropout& how);

// Where row k and column j of a packed B of this depth stand.
int64_t Place(int64_t k, int64_t j, int64_t depth);

void StepAdamW(const Arena* arena, const AdamW* how, float* first, float* second);
void StepSgd(const Arena* arena, const Sgd* how, float* momentum);
void StepLion(const Arena* arena, const Lion* how, float* momentum);
double SumSquares(const float* x, int64_t n);
void HeadScores(const HeadLoss* work, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
void HeadFinish(const HeadLoss* work, int64_t row_begin, int64_t row_end);
void AttendForward(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void* workspace);
void AttendBackward(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void* workspace);
void NormForward(const RowNorm* work, int64_t row_begin, int64_t row_end);
void NormBackward(const RowNorm* work, int64_t block_begin, int64_t block_end);
void SumRows(const float* parts, int64_t rows, int64_t cols, int64_t begin, int64_t end, float* sums);
void GatedForward(Activation act, const uint16_t* gate, const uint16_t* up, int64_t n, uint16_t* out);
void GatedBackward(Activation act, const uint16_t* gate, const uint16_t* up, const uint16_t* d_out, int64_t n,
                   uint16_t* d_gate, uint16_t* d_up);
void Drop(const Dropout* how, int64_t first, const float* x, int64_t n, float* out);
void Drop16(const Dropout* how, int64_t first, const uint16_t* x, int64_t n, uint16_t* out);
void LstmForward(const LstmCell* work, int64_t unit_begin, int64_t unit_end);
void LstmBackward(const LstmCell* work, int64_t unit_begin, int64_t unit_end);
void GruForward(const GruCell* work, int64_t unit_begin, int64_t unit_end);
void GruBackward(const GruCell* work, int64_t unit_begin, int64_t unit_end);
void QueryForward(const QueryAttention* work, int64_t begin, int64_t end);
void QueryBackward(const QueryAttention* work, int64_t begin, int64_t end);
void Rotate(const Rotation* work, int64_t row_begin, int64_t row_end);

}  // namespace atelier::kernel::reference
