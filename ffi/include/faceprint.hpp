/* faceprint for C++17: objects that free themselves, errors that are thrown. Everything is in this header; link the C
 * library. What calls do is described in faceprint.h.
 *
 * Licence: MIT OR Apache-2.0.
 *
 * It covers what most programs need; for the rest, get() gives what the functions of C take. Objects are moved, not copied. What was moved from, and what a list lent after the list is gone, must not be used.
 * Functions given as callbacks may throw: the exception is kept and thrown again from the call that ran them.
 */
#ifndef FACEPRINT_HPP
#define FACEPRINT_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "faceprint.h"

namespace faceprint {

/* What went wrong; kind() is a number of faceprint_status. */
class Error : public std::runtime_error {
 public:
  Error(faceprint_status kind, const char *message) : std::runtime_error(message), kind_(kind) {}
  faceprint_status kind() const noexcept { return kind_; }

 private:
  faceprint_status kind_;
};

namespace detail {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T *object) const noexcept {
    Free(object);
  }
};

template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;

/* Runs a call, which is given a place for its error. */
template <class Call>
void check(Call &&call) {
  faceprint_error *error = nullptr;
  const faceprint_status status = call(&error);
  if (status == FACEPRINT_STATUS_OK) return;
  Owned<faceprint_error, faceprint_error_free> owned(error);
  throw Error(status, faceprint_error_message(error));
}

/* Runs a call that makes an object. */
template <class T, class Call>
T *make(Call &&call) {
  T *made = nullptr;
  check([&](faceprint_error **error) { return call(&made, error); });
  return made;
}

inline std::vector<const char *> pointers(const std::vector<std::string> &texts) {
  std::vector<const char *> all;
  for (const auto &text : texts) all.push_back(text.c_str());
  return all;
}

inline std::vector<std::string> strings(const faceprint_strings *list) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < faceprint_strings_len(list); i++) all.emplace_back(faceprint_strings_at(list, i));
  return all;
}

}  // namespace detail

using Detection = faceprint_detection;
using Landmarks = faceprint_landmarks;
using SpaceId = faceprint_space_id;
using TemplateId = faceprint_template_id;
using Erased = faceprint_erased;
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

inline std::int64_t millis(Time time) { return time.time_since_epoch().count(); }

/* A template: its own, or one that a list lends. */
class Template {
 public:
  Template(const std::vector<float> &values, const SpaceId &space)
      : Template(detail::make<faceprint_template>([&](auto out, auto error) {
          return faceprint_template_new(values.data(), values.size(), &space, out, error);
        })) {}
  explicit Template(faceprint_template *owned) : owned_(owned), lent_(owned) {}
  static Template copy(const faceprint_template *lent) {
    return Template(detail::make<faceprint_template>(
        [&](auto out, auto error) { return faceprint_template_clone(lent, out, error); }));
  }

  std::size_t dimension() const { return faceprint_template_dimension(get()); }
  std::vector<float> values() const {
    const float *first = faceprint_template_values(get());
    return std::vector<float>(first, first + dimension());
  }
  SpaceId space() const { return faceprint_template_space(get()); }
  float similarity(const Template &other) const {
    float similarity = 0;
    detail::check([&](auto error) {
      return faceprint_template_similarity(get(), other.get(), &similarity, error);
    });
    return similarity;
  }
  const faceprint_template *get() const noexcept { return lent_; }

 private:
  detail::Owned<faceprint_template, faceprint_template_free> owned_;
  const faceprint_template *lent_;
};

/* A decoded, upright picture. */
class Picture {
 public:
  static Picture read(const std::string &path) {
    return Picture(detail::make<faceprint_picture>(
        [&](auto out, auto error) { return faceprint_picture_read(path.c_str(), nullptr, out, error); }));
  }
  static Picture decode(const std::uint8_t *bytes, std::size_t len) {
    return Picture(detail::make<faceprint_picture>(
        [&](auto out, auto error) { return faceprint_picture_decode(bytes, len, nullptr, out, error); }));
  }
  explicit Picture(faceprint_picture *owned) : owned_(owned) {}
  /* Lives as long as the picture. */
  faceprint_image image() const { return faceprint_picture_image(owned_.get()); }
  const faceprint_picture *get() const noexcept { return owned_.get(); }

 private:
  detail::Owned<faceprint_picture, faceprint_picture_free> owned_;
};

class Pack {
 public:
  static Pack bundled() {
    return Pack(detail::make<faceprint_pack>(faceprint_pack_bundled));
  }
  static Pack open(const std::string &path, const char *name = nullptr) {
    return Pack(detail::make<faceprint_pack>(
        [&](auto out, auto error) { return faceprint_pack_open(path.c_str(), name, out, error); }));
  }
  static Pack find(const std::string &name) {
    return Pack(detail::make<faceprint_pack>(
        [&](auto out, auto error) { return faceprint_pack_find(name.c_str(), out, error); }));
  }
  explicit Pack(faceprint_pack *owned) : owned_(owned) {}

  std::string name() const { return faceprint_pack_name(owned_.get()); }
  SpaceId space() const {
    SpaceId space{};
    detail::check([&](auto error) { return faceprint_pack_space(owned_.get(), &space, error); });
    return space;
  }
  float threshold(double fmr) const {
    float threshold = 0;
    detail::check([&](auto error) { return faceprint_pack_threshold(owned_.get(), fmr, &threshold, error); });
    return threshold;
  }
  faceprint_search_threshold threshold_for(double fpir, std::size_t n) const {
    faceprint_search_threshold threshold{};
    detail::check([&](auto error) {
      return faceprint_pack_threshold_for(owned_.get(), fpir, n, &threshold, error);
    });
    return threshold;
  }
  const faceprint_pack *get() const noexcept { return owned_.get(); }

 private:
  detail::Owned<faceprint_pack, faceprint_pack_free> owned_;
};

/* Faces of a picture: a list of faceprint_face, which it lends. */
class Faces {
 public:
  explicit Faces(faceprint_faces *owned) : owned_(owned) {}
  std::size_t size() const noexcept { return faceprint_faces_len(owned_.get()); }
  bool empty() const noexcept { return size() == 0; }
  const faceprint_face &operator[](std::size_t index) const { return *faceprint_faces_at(owned_.get(), index); }
  const faceprint_face *begin() const noexcept { return faceprint_faces_at(owned_.get(), 0); }
  const faceprint_face *end() const noexcept { return empty() ? begin() : begin() + size(); }

 private:
  detail::Owned<faceprint_faces, faceprint_faces_free> owned_;
};

struct Issue {
  std::string name, message;
};

/* A usable sample, or why there is none. */
class Capture {
 public:
  Capture(faceprint_sample *sample, faceprint_issues *issues) : sample_(sample), issues_(issues) {}
  explicit operator bool() const noexcept { return sample_ != nullptr; }
  const faceprint_face &face() const { return *faceprint_sample_face(sample()); }
  const faceprint_template *face_template() const { return faceprint_sample_template(sample()); }
  std::vector<Issue> issues() const {
    std::vector<Issue> all;
    for (std::size_t i = 0; i < faceprint_issues_len(issues_.get()); i++) {
      const faceprint_issue *issue = faceprint_issues_at(issues_.get(), i);
      all.push_back({issue->name, issue->message});
    }
    return all;
  }

 private:
  const faceprint_sample *sample() const {
    if (!sample_) throw std::logic_error("the capture was rejected: it has issues and no sample");
    return sample_.get();
  }
  detail::Owned<faceprint_sample, faceprint_sample_free> sample_;
  detail::Owned<faceprint_issues, faceprint_issues_free> issues_;
};

inline faceprint_engine_options engine_options() { return FACEPRINT_ENGINE_OPTIONS_INIT; }

class Engine {
 public:
  explicit Engine(const Pack &pack, const faceprint_engine_options &options = engine_options())
      : owned_(detail::make<faceprint_engine>([&](auto out, auto error) {
          return faceprint_engine_new(pack.get(), &options, out, error);
        })) {}

  std::vector<Detection> detect(const faceprint_image &image) const {
    detail::Owned<faceprint_detections, faceprint_detections_free> found(
        detail::make<faceprint_detections>([&](auto out, auto error) {
          return faceprint_engine_detect(owned_.get(), &image, out, error);
        }));
    std::vector<Detection> all;
    for (std::size_t i = 0; i < faceprint_detections_len(found.get()); i++)
      all.push_back(*faceprint_detections_at(found.get(), i));
    return all;
  }
  Faces analyze(const faceprint_image &image) const {
    return Faces(detail::make<faceprint_faces>([&](auto out, auto error) {
      return faceprint_engine_analyze(owned_.get(), &image, out, error);
    }));
  }
  Capture capture(const faceprint_image &image) const {
    faceprint_sample *sample = nullptr;
    faceprint_issues *issues = nullptr;
    detail::check([&](auto error) {
      return faceprint_engine_capture(owned_.get(), &image, &sample, &issues, error);
    });
    return Capture(sample, issues);
  }
  Template embed(const faceprint_image &image, const Landmarks &landmarks) const {
    return Template(detail::make<faceprint_template>([&](auto out, auto error) {
      return faceprint_engine_template(owned_.get(), &image, &landmarks, out, error);
    }));
  }
  const faceprint_backend &backend() const { return *faceprint_engine_backend(owned_.get()); }
  const faceprint_engine *get() const noexcept { return owned_.get(); }

 private:
  detail::Owned<faceprint_engine, faceprint_engine_free> owned_;
};

/* Encrypts and decrypts keys with one that never leaves its place. Called from any thread; what it throws refuses. */
class KeyProvider {
 public:
  virtual ~KeyProvider() = default;
  virtual std::vector<std::uint8_t> wrap(const std::array<std::uint8_t, 32> &key) = 0;
  virtual std::vector<std::uint8_t> unwrap(const std::vector<std::uint8_t> &wrapped) = 0;
};

class Access {
 public:
  static Access passphrase(const std::string &words) {
    return Access(detail::make<faceprint_access>(
        [&](auto out, auto error) { return faceprint_access_passphrase(words.c_str(), out, error); }));
  }
  static Access key(const std::array<std::uint8_t, 32> &key) {
    return Access(detail::make<faceprint_access>(
        [&](auto out, auto error) { return faceprint_access_key(key.data(), key.size(), out, error); }));
  }
  static Access provider(std::shared_ptr<KeyProvider> provider) {
    using Shared = std::shared_ptr<KeyProvider>;
    auto user = std::make_unique<Shared>(std::move(provider));
    faceprint_key_provider calls = FACEPRINT_KEY_PROVIDER_INIT;
    calls.user = user.get();
    calls.wrap = [](void *user, const std::uint8_t *key, faceprint_answer *answer) {
      return answered(answer, [&] {
        std::array<std::uint8_t, 32> copy{};
        std::copy(key, key + copy.size(), copy.begin());
        return (*static_cast<Shared *>(user))->wrap(copy);
      });
    };
    calls.unwrap = [](void *user, const std::uint8_t *wrapped, std::size_t len, faceprint_answer *answer) {
      return answered(answer, [&] {
        return (*static_cast<Shared *>(user))->unwrap(std::vector<std::uint8_t>(wrapped, wrapped + len));
      });
    };
    calls.release = [](void *user) { delete static_cast<Shared *>(user); };
    Access access(detail::make<faceprint_access>(
        [&](auto out, auto error) { return faceprint_access_provider(&calls, out, error); }));
    user.release();
    return access;
  }
  explicit Access(faceprint_access *owned) : owned_(owned) {}
  const faceprint_access *get() const noexcept { return owned_.get(); }

 private:
  /* No exception passes through the library. */
  template <class Work>
  static std::int32_t answered(faceprint_answer *answer, Work &&work) noexcept {
    try {
      const std::vector<std::uint8_t> bytes = work();
      faceprint_answer_set(answer, bytes.data(), bytes.size());
      return 0;
    } catch (const std::exception &error) {
      faceprint_answer_refuse(answer, error.what());
    } catch (...) {
    }
    return 1;
  }
  detail::Owned<faceprint_access, faceprint_access_free> owned_;
};

struct Hit {
  std::string subject;
  float similarity;
  TemplateId id;
};

/* Whom a search may find. */
struct Query {
  std::size_t limit = 1;
  float at_least = -1;
  float ambiguity_margin = 0;
  std::optional<std::vector<std::string>> among = std::nullopt;
};

/* Stored under `id`, or a duplicate of somebody. */
struct Enrollment {
  std::optional<TemplateId> id;
  std::string duplicate_of;
  float similarity = 0;
  explicit operator bool() const noexcept { return id.has_value(); }
};

class Tenant {
 public:
  explicit Tenant(faceprint_tenant *owned) : owned_(owned) {}

  Enrollment enroll(const std::string &subject, const faceprint_template *face) const {
    faceprint_enrollment outcome;
    detail::check([&](auto error) {
      return faceprint_tenant_enroll(get(), subject.c_str(), face, &outcome, error);
    });
    if (outcome.outcome == FACEPRINT_OUTCOME_ADDED) return {outcome.id, {}, 0};
    return {std::nullopt, outcome.duplicate_of, outcome.similarity};
  }
  Enrollment enroll(const std::string &subject, const Template &face) const { return enroll(subject, face.get()); }

  std::vector<Hit> identify(const faceprint_template *probe, const Query &query = {}) const {
    const auto names = query.among ? detail::pointers(*query.among) : std::vector<const char *>();
    const faceprint_query c = c_query(query, names);
    return hits(detail::make<faceprint_hits>([&](auto out, auto error) {
      return faceprint_tenant_identify(get(), probe, &c, out, error);
    }));
  }
  std::vector<Hit> identify(const Template &probe, const Query &query = {}) const {
    return identify(probe.get(), query);
  }
  std::pair<faceprint_verdict, std::vector<Hit>> decide(const Template &probe, const Query &query) const {
    const auto names = query.among ? detail::pointers(*query.among) : std::vector<const char *>();
    const faceprint_query c = c_query(query, names);
    std::uint32_t verdict = 0;
    auto found = hits(detail::make<faceprint_hits>([&](auto out, auto error) {
      return faceprint_tenant_decide(get(), probe.get(), &c, &verdict, out, error);
    }));
    return {static_cast<faceprint_verdict>(verdict), std::move(found)};
  }
  float verify(const std::string &subject, const Template &probe) const {
    float similarity = 0;
    detail::check([&](auto error) {
      return faceprint_tenant_verify(get(), subject.c_str(), probe.get(), &similarity, error);
    });
    return similarity;
  }
  Erased erase(const std::string &subject) const {
    Erased erased{};
    detail::check([&](auto error) { return faceprint_tenant_erase(get(), subject.c_str(), &erased, error); });
    return erased;
  }
  std::vector<std::string> subjects() const {
    detail::Owned<faceprint_strings, faceprint_strings_free> list(detail::make<faceprint_strings>(
        [&](auto out, auto error) { return faceprint_tenant_subjects(get(), out, error); }));
    return detail::strings(list.get());
  }
  /* Pairs of subjects that look the same; `progress` may be empty. */
  std::vector<std::pair<Hit, std::string>> find_duplicates(
      float at_least, const std::function<void(std::size_t, std::size_t)> &progress = nullptr) const {
    struct Told {
      const std::function<void(std::size_t, std::size_t)> &progress;
      std::exception_ptr thrown;
    } told{progress, nullptr};
    const faceprint_progress tell = [](void *user, std::size_t done, std::size_t all) {
      Told &told = *static_cast<Told *>(user);
      if (!told.progress || told.thrown) return;
      try {
        told.progress(done, all);
      } catch (...) {
        told.thrown = std::current_exception();
      }
    };
    detail::Owned<faceprint_pairs, faceprint_pairs_free> list(
        detail::make<faceprint_pairs>([&](auto out, auto error) {
          return faceprint_tenant_find_duplicates(get(), at_least, tell, &told, out, error);
        }));
    if (told.thrown) std::rethrow_exception(told.thrown);
    std::vector<std::pair<Hit, std::string>> all;
    for (std::size_t i = 0; i < faceprint_pairs_len(list.get()); i++) {
      const faceprint_pair *pair = faceprint_pairs_at(list.get(), i);
      all.push_back({Hit{pair->subject, pair->similarity, {}}, pair->other});
    }
    return all;
  }
  const faceprint_tenant *get() const noexcept { return owned_.get(); }

 private:
  static faceprint_query c_query(const Query &query, const std::vector<const char *> &names) {
    static const char *const nobody[1] = {nullptr};
    faceprint_query c = FACEPRINT_QUERY_INIT;
    c.limit = query.limit;
    c.at_least = query.at_least;
    c.ambiguity_margin = query.ambiguity_margin;
    if (query.among) c.among = names.empty() ? nobody : names.data();
    c.among_len = names.size();
    return c;
  }
  static std::vector<Hit> hits(faceprint_hits *owned) {
    detail::Owned<faceprint_hits, faceprint_hits_free> list(owned);
    std::vector<Hit> all;
    for (std::size_t i = 0; i < faceprint_hits_len(owned); i++) {
      const faceprint_hit *hit = faceprint_hits_at(owned, i);
      all.push_back({hit->subject, hit->similarity, hit->id});
    }
    return all;
  }
  detail::Owned<faceprint_tenant, faceprint_tenant_free> owned_;
};

class Gallery {
 public:
  static Gallery create(const std::string &path, const Access &access, const SpaceId &space) {
    return Gallery(detail::make<faceprint_gallery>([&](auto out, auto error) {
      return faceprint_gallery_create(path.c_str(), access.get(), &space, out, error);
    }));
  }
  static Gallery open(const std::string &path, const Access &access) {
    return Gallery(detail::make<faceprint_gallery>([&](auto out, auto error) {
      return faceprint_gallery_open(path.c_str(), access.get(), out, error);
    }));
  }
  explicit Gallery(faceprint_gallery *owned) : owned_(owned) {}

  Tenant tenant(const std::string &id) const {
    return Tenant(detail::make<faceprint_tenant>([&](auto out, auto error) {
      return faceprint_gallery_tenant(get(), id.c_str(), out, error);
    }));
  }
  std::vector<std::string> tenants() const {
    detail::Owned<faceprint_strings, faceprint_strings_free> list(detail::make<faceprint_strings>(
        [&](auto out, auto error) { return faceprint_gallery_tenants(get(), out, error); }));
    return detail::strings(list.get());
  }
  Erased erase_tenant(const std::string &id) const {
    Erased erased{};
    detail::check([&](auto error) { return faceprint_gallery_erase_tenant(get(), id.c_str(), &erased, error); });
    return erased;
  }
  void rotate_key(const Access &access) const {
    detail::check([&](auto error) { return faceprint_gallery_rotate_key(get(), access.get(), error); });
  }
  void rekey(const Access &access) const {
    detail::check([&](auto error) { return faceprint_gallery_rekey(get(), access.get(), error); });
  }
  void check() const {
    detail::check([&](auto error) { return faceprint_gallery_check(get(), error); });
  }
  void compact() const {
    detail::check([&](auto error) { return faceprint_gallery_compact(get(), error); });
  }
  void backup(const std::string &path) const {
    detail::check([&](auto error) { return faceprint_gallery_backup(get(), path.c_str(), error); });
  }
  const faceprint_gallery *get() const noexcept { return owned_.get(); }

 private:
  detail::Owned<faceprint_gallery, faceprint_gallery_free> owned_;
};

struct Event {
  std::string subject; /* empty unless event.who is FACEPRINT_WHO_SUBJECT */
  float similarity = 0;
  faceprint_event event{}; /* its subject is NULL: the name is above */
};

/* One camera's frames on the way to events. */
class Stream {
 public:
  static faceprint_stream_options options() { return FACEPRINT_STREAM_OPTIONS_INIT; }
  Stream(const Engine &engine, const Tenant &tenant, const faceprint_stream_options &options = Stream::options())
      : owned_(detail::make<faceprint_stream>([&](auto out, auto error) {
          return faceprint_stream_new(engine.get(), tenant.get(), &options, nullptr, 0, out, error);
        })) {}

  std::vector<Event> push(const faceprint_image &image, Time at) const {
    detail::Owned<faceprint_events, faceprint_events_free> list(
        detail::make<faceprint_events>([&](auto out, auto error) {
          return faceprint_stream_push(get(), &image, millis(at), out, error);
        }));
    std::vector<Event> all;
    for (std::size_t i = 0; i < faceprint_events_len(list.get()); i++) {
      faceprint_event event = *faceprint_events_at(list.get(), i);
      Event own{event.subject ? event.subject : "", event.similarity, event};
      own.event.subject = nullptr;
      all.push_back(std::move(own));
    }
    return all;
  }
  const faceprint_stream *get() const noexcept { return owned_.get(); }

 private:
  detail::Owned<faceprint_stream, faceprint_stream_free> owned_;
};

}  // namespace faceprint

#endif
