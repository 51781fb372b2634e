#pragma once

/// The library's version. This file is its only source: CMake and the package files read it from here.
#define HOLDFAST_VERSION_MAJOR 0
#define HOLDFAST_VERSION_MINOR 1
#define HOLDFAST_VERSION_PATCH 0
