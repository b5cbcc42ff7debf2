// How often tests repeat themselves in other orders.
#pragma once

namespace repetitions {

// Sanitizers make everything many times slower, and find what they look for on the first visits of
// a path: results in many orders are held without them.
#ifdef STRATOPERF_FEW_REPETITIONS
inline constexpr bool kFew = true;
#else
inline constexpr bool kFew = false;
#endif

}  // namespace repetitions
