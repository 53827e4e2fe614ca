// The wrapper for C++: objects free themselves, errors are thrown, callbacks may throw.
#include "faceprint.hpp"

#include <cstdio>
#include <cstdlib>
#include <type_traits>

#define CHECK(so)                                                                    \
  do {                                                                               \
    if (!(so)) {                                                                     \
      std::fprintf(stderr, "%s:%d: %s is not so\n", __FILE__, __LINE__, #so);        \
      std::exit(1);                                                                  \
    }                                                                                \
  } while (0)

namespace {

template <class Work>
faceprint_status kind_of(Work &&work) {
  try {
    work();
  } catch (const faceprint::Error &error) {
    CHECK(std::string(error.what()).size() > 10);
    return error.kind();
  }
  return FACEPRINT_STATUS_OK;
}

struct Service : faceprint::KeyProvider {
  bool closed = false;
  std::vector<std::uint8_t> wrap(const std::array<std::uint8_t, 32> &key) override {
    if (closed) throw std::runtime_error("closed on Sundays");
    return std::vector<std::uint8_t>(key.rbegin(), key.rend());
  }
  std::vector<std::uint8_t> unwrap(const std::vector<std::uint8_t> &wrapped) override {
    if (closed) throw 7;
    return std::vector<std::uint8_t>(wrapped.rbegin(), wrapped.rend());
  }
};

faceprint::Template some_template(int seed) {
  std::vector<float> values(64);
  unsigned state = 12345u + static_cast<unsigned>(seed) * 7919u;
  for (float &value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  faceprint::SpaceId space{};
  space.bytes[0] = 1;
  return faceprint::Template(values, space);
}

}  // namespace

int main() {
  static_assert(!std::is_copy_constructible_v<faceprint::Engine> && std::is_move_constructible_v<faceprint::Engine>);
  const std::string folder = std::getenv("SCRATCH"), examples = std::getenv("EXAMPLES");
  const std::string path = folder + "/wrapper.faceprint";
  const auto one = some_template(1), two = some_template(2);
  CHECK(one.dimension() == 64 && one.similarity(one) > 0.999f && one.similarity(two) < 0.6f);

  auto service = std::make_shared<Service>();
  {
    const auto access = faceprint::Access::provider(service);
    service->closed = true;
    CHECK(kind_of([&] { faceprint::Gallery::create(path, access, one.space()); }) == FACEPRINT_STATUS_KEY_PROVIDER);
    service->closed = false;
    const auto gallery = faceprint::Gallery::create(path, access, one.space());
    const auto acme = gallery.tenant("acme");
    CHECK(acme.enroll("alice", one));
    CHECK(acme.enroll("bob", two));
    const auto again = acme.enroll("mallory", one);
    CHECK(!again && again.duplicate_of == "alice");
    const auto hits = acme.identify(one, {5, 0.5f, 0, std::nullopt});
    CHECK(hits.size() == 1 && hits[0].subject == "alice");
    CHECK(acme.identify(one, {5, -1, 0, std::vector<std::string>{"bob"}}).at(0).subject == "bob");
    CHECK(acme.identify(one, {5, -1, 0, std::vector<std::string>{}}).empty());
    CHECK(acme.decide(one, {1, 0.5f, 0.1f, std::nullopt}).first == FACEPRINT_VERDICT_MATCH);
    bool thrown = false;
    try {
      acme.find_duplicates(-1, [](std::size_t, std::size_t) { throw std::runtime_error("enough"); });
    } catch (const std::runtime_error &error) {
      thrown = std::string(error.what()) == "enough";
    }
    CHECK(thrown && acme.find_duplicates(-1).size() == 1);
    CHECK(kind_of([&] { acme.verify("nobody", one); }) == FACEPRINT_STATUS_SUBJECT_NOT_FOUND);
    CHECK(acme.erase("bob").templates == 1 && acme.subjects() == std::vector<std::string>{"alice"});
    gallery.rotate_key(faceprint::Access::key({7}));
    gallery.compact();
    service->closed = true;
    CHECK(kind_of([&] { faceprint::Gallery::open(path, access); }) == FACEPRINT_STATUS_WRONG_KEY);
  }
  CHECK(service.use_count() == 1);
  CHECK(faceprint::Gallery::open(path, faceprint::Access::key({7})).tenants().size() == 1);

  const auto pack = faceprint::Pack::bundled();
  faceprint::Engine engine(pack), moved = std::move(engine);
  const auto picture = faceprint::Picture::read(examples + "/people/cira/1.jpg");
  const auto capture = moved.capture(picture.image());
  CHECK(capture && capture.issues().empty());
  const auto faces = moved.analyze(picture.image());
  CHECK(faces.size() == 1 && faces.begin() + 1 == faces.end());
  const auto alone = moved.embed(picture.image(), faces[0].detection.landmarks);
  CHECK(alone.similarity(faceprint::Template::copy(capture.face_template())) > 0.999f);
  std::vector<std::uint8_t> black(32 * 32);
  const faceprint_image empty = FACEPRINT_IMAGE(black.data(), black.size(), 32, 32, FACEPRINT_PIXEL_FORMAT_GRAY8);
  CHECK(!moved.capture(empty) && moved.capture(empty).issues().at(0).name == "no_face");
  CHECK(kind_of([&] { pack.threshold(7); }) == FACEPRINT_STATUS_INVALID_ARGUMENT);
  std::puts("wrapper: ok");
}
