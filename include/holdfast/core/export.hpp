#pragma once

/// Marks what a shared holdfast library exports. Static builds define HOLDFAST_STATIC (the CMake target does it).
#if defined(HOLDFAST_STATIC)
#define HOLDFAST_API
#else
#define HOLDFAST_API __attribute__((visibility("default")))
#endif
