// For sets of instructions without tiles (tiles_amx.h).

constexpr bool kTiles = false;
constexpr int64_t kTileBlock = 2;

INLINE int64_t WholeTiles(int64_t rows) { return rows; }
struct TilesOn {};
INLINE void TileSums(const uint16_t*, int64_t, int64_t, int64_t, const uint16_t*, int64_t, bool, float*, int64_t) {}
INLINE int64_t CopiedTiles(int64_t) { return 1; }
INLINE void CopyTiles(const uint16_t*, int64_t, int64_t, int64_t, uint16_t*) {}
INLINE void CopiedTileSums(const uint16_t*, int64_t, int64_t, const uint16_t*, int64_t, float*) {}
INLINE void TurnZipped(const uint16_t*, int64_t, int64_t, uint16_t*, int64_t) {}
