//! What the tests of the gallery share.

use faceprint::vector::{Embedding, Template};
use faceprint::{Access, Enrollment, Gallery, SpaceId, SubjectId, Tenant, TenantId};
use tempfile::TempDir;

/// Values per template: enough that two random ones are never alike.
pub const VALUES: usize = 128;

pub fn space(number: u8) -> SpaceId {
    SpaceId::from_bytes([number; 32])
}

/// A template that is the same for the same seed, and unlike all others.
pub fn template(seed: u64) -> Template {
    template_in(space(1), seed)
}

pub fn template_in(space: SpaceId, seed: u64) -> Template {
    Template::new(Embedding::normalize(values(seed)).unwrap(), space)
}

pub fn values(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    for _ in 0..40 {
        next();
    }
    (0..VALUES).map(|_| next()).collect()
}

pub fn id(number: u64) -> SubjectId {
    format!("subject number {number:06}").parse().unwrap()
}

pub fn tenant_id(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub fn key(number: u8) -> Access {
    Access::key([number; 32])
}

/// A passphrase at the lowest price.
pub fn cheap(passphrase: &str) -> Access {
    Access::passphrase_with_cost(passphrase, 8 * 1024, 1, 1).unwrap()
}

/// A new gallery opened by `key(1)`, its folder, and a tenant of it.
pub fn fresh() -> (TempDir, Gallery, Tenant) {
    let folder = tempfile::tempdir().unwrap();
    let gallery = Gallery::create(folder.path().join("g.faceprint"), &key(1), space(1)).unwrap();
    let tenant = gallery.tenant(&tenant_id("acme")).unwrap();
    (folder, gallery, tenant)
}

/// A folder in memory, where the system has such: for what need not outlive the machine.
pub fn memory() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

pub fn added(enrollment: Enrollment) -> faceprint::TemplateId {
    match enrollment {
        Enrollment::Added { template, .. } => template,
        Enrollment::Duplicate { similarity, .. } => panic!("a duplicate at {similarity}"),
    }
}

pub fn bits(template: &Template) -> Vec<u32> {
    template.embedding().as_slice().iter().map(|value| value.to_bits()).collect()
}
