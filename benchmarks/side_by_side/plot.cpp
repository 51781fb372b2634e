// The picture: a line per figure, a dot per engine, placed by its ratio to raw LMDB on a logarithmic scale. To the
// right is better.
#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "side_by_side/child.hpp"
#include "side_by_side/report.hpp"
#include "side_by_side/workload.hpp"

namespace holdfast::bench {
namespace {

struct Line {
  std::string figure{};
  std::string what{};
};

/// Of an engine: colour-blind readers tell them apart too.
struct Look {
  std::string engine{};
  std::string colour{};
  double size = 0;
};
const std::vector<Look> looks = {{"lmdb_again", "#aaaaaa", 0.7},       {"sqlite", "#56b4e9", 0.9},
                                 {"leveldb", "#009e73", 0.9},          {"rocksdb", "#e69f00", 0.9},
                                 {"holdfast_backend", "#cc79a7", 0.9}, {"holdfast", "#000000", 1.2}};

bool compares(const Json& one) {
  return one.at("engine") != "lmdb" && one.at("ratio_to_lmdb") > 0;
}

/// What was measured of the workloads and the store's size and memory, from the bottom up.
std::vector<Line> lines_of(const Json& series) {
  std::vector<Line> known;
  for (const auto& workload : workloads()) known.push_back({workload.name, workload.what});
  known.push_back({"load_size", "smaller file after the load"});
  known.push_back({"load_written", "fewer bytes written by the load"});
  known.push_back({"load_memory", "less memory for the load"});
  std::vector<Line> lines;
  for (const auto& line : known) {
    const auto is_of_line = [&](const Json& one) { return one.at("figure") == line.figure && compares(one); };
    if (std::any_of(series.begin(), series.end(), is_of_line)) lines.push_back(line);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

void write_dots(std::ostream& out, const Json& series, const std::vector<Line>& lines) {
  for (const auto& look : looks) {
    out << "$" << look.engine << " << END\n";
    for (std::size_t at = 0; at < lines.size(); ++at) {
      for (const auto& one : series) {
        if (one.at("engine") != look.engine || one.at("figure") != lines[at].figure || !compares(one)) continue;
        out << one.at("ratio_to_lmdb").get<double>() << " " << at << "\n";
      }
    }
    out << "NaN NaN\nEND\n";  // so that an engine that was not built is no error
  }
}

std::string subtitle(const Json& document) {
  const auto& environment = document.at("environment");
  const auto text = [&](const char* name) { return environment.at(name).get<std::string>(); };
  return document.at("sections").front().at("title").get<std::string>() + "\\n" + text("CPU") + ", " +
         text("file system") + ", " + text("kernel") + ", " + text("compiler") + ", " + text("date") + ", commit " +
         text("commit");
}

void write_script(std::ostream& out, const Json& document, const std::filesystem::path& svg) {
  const auto& sections = document.at("sections");
  const Json series = sections.empty() ? Json::array() : sections.front().at("series");
  const auto lines = lines_of(series);
  if (lines.empty()) throw std::runtime_error("nothing to draw: no engine beside raw LMDB was measured");
  write_dots(out, series, lines);
  out << "set terminal svg size 1000," << 190 + 26 * lines.size() << " font 'sans-serif,13' background 'white'\n"
      << "set output '" << svg.string() << "'\n"
      << "set tmargin 5\nset bmargin 5\nset lmargin at screen 0.39\n"
      << "set label \"How many times as good as raw LMDB (right is better)\" at screen 0.5, screen 0.975 center\n"
      << "set label \"" << subtitle(document) << "\" at screen 0.5, screen 0.95 center font ',10' noenhanced\n"
      << "set logscale x\nset xrange [*:*]\nset xtics (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)\n"
      << "set yrange [-0.7:" << lines.size() << "]\nset grid xtics ytics lt 1 lc rgb '#cccccc' lw 0.5\n"
      << "set key at screen 0.5, screen 0.03 center center horizontal maxcols 6 width -3 samplen 1 font ',10' "
         "noenhanced\n"
      << "set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#444444'\nset ytics (";
  for (std::size_t at = 0; at < lines.size(); ++at) out << (at == 0 ? "'" : ", '") << lines[at].what << "' " << at;
  out << ") font ',11'\nplot ";
  for (const auto& look : looks) {
    out << (&look == &looks.front() ? "" : ", ") << "$" << look.engine << " with points pt 7 ps " << look.size
        << " lc rgb '" << look.colour << "' title '" << look.engine << "'";
  }
  out << "\n";
}

}  // namespace

void draw(const Json& document, const std::filesystem::path& svg) {
  const auto script = std::filesystem::path(svg).replace_extension(".gnuplot");
  std::ofstream out(script);
  write_script(out, document, svg);
  out.close();
  const bool drawn = out && run_child({"gnuplot", script.string()}).exit_code == 0;
  std::filesystem::remove(script);
  if (!drawn) throw std::runtime_error("gnuplot did not draw " + svg.string());
}

}  // namespace holdfast::bench
