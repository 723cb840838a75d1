//! What every store of contents does, one list for all adapters.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use relay::store::blobs::{BlobStore, Bucket};
use relay::store::folder::DataFolder;

use crate::bucket::Service;
use crate::rig::Folder;

const PIECE: usize = 5 * 1024 * 1024;

fn in_bucket(endpoint: &str) -> BlobStore {
    BlobStore::in_bucket(Bucket {
        name: "relay".to_owned(),
        endpoint: Some(endpoint.parse().unwrap()),
        region: "us-east-1".to_owned(),
        access_key_id: "id".to_owned(),
        secret_access_key: "secret".into(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_in_a_folder_conform_and_leave_no_trace() {
    let folder = Folder::new();
    let contents = BlobStore::in_folder(DataFolder::new(folder.0.clone()));
    conforms(&contents, &[0, 1, 256 * 1024, 3_000_000]).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(folder.contents(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_in_memory_conform_within_bounds() {
    let contents = BlobStore::in_folder(DataFolder::new(PathBuf::from("/proc/no/such/folder")));
    conforms(&contents, &[0, 1, 3_000_000]).await;
    let mut writer = contents.write("files/large").await.unwrap();
    writer.write(vec![0; 8 * 1024 * 1024].into()).await.unwrap();
    assert!(writer.write(vec![0; 1].into()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_in_a_bucket_conform_go_in_pieces_and_leave_no_trace() {
    let service = Service::start().await;
    conforms(
        &in_bucket(&service.endpoint),
        &[0, 1, PIECE, PIECE + 1, 3 * PIECE + 17],
    )
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(service.left(), (0, 0));
    let (largest, unsigned) = service.seen();
    assert!(largest < PIECE + 128 * 1024, "{largest}");
    assert_eq!(unsigned, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_is_an_error_in_bounded_time() {
    let contents = in_bucket("http://127.0.0.1:9");
    let began = std::time::Instant::now();
    assert!(contents.read("files/x").await.is_err());
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

async fn conforms(contents: &BlobStore, sizes: &[usize]) {
    for size in sizes {
        keeps(contents, *size).await;
    }
    assert!(contents.read("files/none").await.unwrap().is_none());
    contents.delete("files/none").await.unwrap();
    forgets_what_is_not_finished(contents, *sizes.iter().max().unwrap()).await;
}

/// Bytes that differ from place to place.
fn bytes(size: usize) -> Vec<u8> {
    (0..size)
        .map(|n| u8::try_from(n * 31 % 251).unwrap())
        .collect()
}

async fn keeps(contents: &BlobStore, size: usize) {
    let (name, bytes) = (format!("files/owner/{size}"), bytes(size));
    let mut writer = contents.write(&name).await.unwrap();
    for piece in bytes.chunks(60_000) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert!(
        contents.read(&name).await.unwrap().is_none(),
        "{size}: not whole and there"
    );
    writer.finish().await.unwrap();
    let found = contents.read(&name).await.unwrap().unwrap();
    assert_eq!(found.size, size as u64);
    let pieces: Vec<Bytes> = found.bytes.try_collect().await.unwrap();
    assert!(pieces.concat() == bytes, "{size}: other bytes");
    contents.delete(&name).await.unwrap();
    assert!(contents.read(&name).await.unwrap().is_none());
}

async fn forgets_what_is_not_finished(contents: &BlobStore, size: usize) {
    let mut writer = contents.write("files/broken").await.unwrap();
    for piece in bytes(size).chunks(60_000) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    drop(writer);
    assert!(contents.read("files/broken").await.unwrap().is_none());
}
