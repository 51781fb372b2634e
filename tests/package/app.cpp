#include <cstdio>
#include <holdfast/holdfast.hpp>

/// The application of the package tests: it lives on the installed library and catches its exceptions by type.
int main() {
  using namespace holdfast;
  const auto text = canonical_text(Json{{"b", 1.0}, {"a", "x"}});
  if (text != R"({"a":"x","b":1})") return 1;
  try {
    (void)parse_json("{");
    return 2;
  } catch (const CodecError& error) {
    std::printf("%s\n%s\n", to_hex(sha256(as_bytes(text))).c_str(), error.what());
  }
  return 0;
}
