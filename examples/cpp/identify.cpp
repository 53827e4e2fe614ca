// Enrols a folder of people in an encrypted gallery and names the faces of a group picture, from left to right.
//
//   c++ -std=c++17 identify.cpp $(pkg-config --cflags --libs faceprint) -o identify
//   ./identify examples/images
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>

#include <faceprint.hpp>

namespace fs = std::filesystem;

static std::vector<fs::path> inside(const fs::path &folder) {
  std::vector<fs::path> paths;
  for (const auto &entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

static void identify(const fs::path &images, const fs::path &file) {
  const auto pack = faceprint::Pack::bundled();
  const faceprint::Engine engine(pack);
  const auto access = faceprint::Access::passphrase("correct horse battery staple");
  const auto gallery = faceprint::Gallery::create(file.string(), access, pack.space());
  const auto tenant = gallery.tenant("people");

  for (const auto &person : inside(images / "people")) {
    for (const auto &path : inside(person)) {
      const auto picture = faceprint::Picture::read(path.string());
      const auto capture = engine.capture(picture.image());
      if (capture) {
        tenant.enroll(person.filename().string(), capture.face_template());
      } else {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), capture.issues()[0].message.c_str());
      }
    }
  }

  const auto picture = faceprint::Picture::read((images / "group.jpg").string());
  const auto faces = engine.analyze(picture.image());
  std::vector<faceprint_face> sorted(faces.begin(), faces.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto &a, const auto &b) { return a.detection.bounds.x < b.detection.bounds.x; });
  faceprint::Query query;
  query.at_least = pack.threshold(1e-4);
  for (const auto &face : sorted) {
    const auto hits = tenant.identify(face.face_template, query);
    if (hits.empty()) {
      std::puts("unknown");
    } else {
      std::printf("%s %.3f\n", hits[0].subject.c_str(), static_cast<double>(hits[0].similarity));
    }
  }
}

int main(int argc, char **argv) {
  const fs::path folder = fs::temp_directory_path() / ("faceprint-" + std::to_string(std::random_device()()));
  fs::create_directory(folder);
  int failed = 0;
  try {
    identify(argc > 1 ? argv[1] : "examples/images", folder / "gallery.faceprint");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    failed = 1;
  }
  fs::remove_all(folder);
  return failed;
}
