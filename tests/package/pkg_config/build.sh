#!/bin/sh
# Builds and runs the application without CMake. usage: build.sh <library folder of an installed holdfast> <work folder>
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
export PKG_CONFIG_PATH="$1/pkgconfig" LD_LIBRARY_PATH="$1"
rm -rf "$2"
mkdir -p "$2"
cp "$source/app.cpp" "$2"
cd "$2"

c++ -std=c++20 app.cpp $(pkg-config --static --cflags --libs holdfast) -o app

./app state
