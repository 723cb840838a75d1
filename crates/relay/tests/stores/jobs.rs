//! The table of jobs.

use std::path::PathBuf;

use onemin::features::Kind;
use relay::access::account_id::AccountIds;
use relay::jobs::job::{Job, State};
use relay::jobs::table::{Lease, Table};
use relay::store::database::Database;
use relay::store::folder::DataFolder;
use relay::store::page::PageQuery;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_read_hides_no_other() {
    let folder = DataFolder::new(PathBuf::from("/proc/no/such/folder"));
    let database = Database::in_folder(folder);
    let table = Table::new(database.clone());
    let ids = AccountIds::under(&"sixteen and more".into());
    let owner = ids.of_key(&onemin::ApiKey::parse("a").unwrap());
    for number in 0..5 {
        let job = Job {
            id: format!("video_{number}"),
            owner,
            account: owner,
            account_name: None,
            kind: Kind::TextToVideo,
            model: "m".to_owned(),
            prompt: "p".to_owned(),
            seconds: None,
            size: None,
            state: State::Working,
            created: 1,
            finished: None,
            expires: None,
            upstream_id: None,
            sealed_key: None,
            next_look: number,
            looks: 0,
            assets: Vec::new(),
            error: None,
            credits: None,
        };
        let lease = Lease {
            holder: "h",
            until: 0,
        };
        table.insert(&job, lease).await.unwrap();
    }
    let later = "UPDATE jobs SET feature = 'OF_A_LATER_VERSION' WHERE id IN ('video_1', 'video_3')";
    assert_eq!(
        database
            .execute(later.to_owned(), Vec::new())
            .await
            .unwrap(),
        2
    );

    let names = |jobs: &[Job]| jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>();
    let due = table.due(9, "h", 100).await.unwrap();
    assert_eq!(names(&due), ["video_0", "video_2", "video_4"]);
    let mut query = PageQuery {
        after: None,
        before: None,
        limit: 2,
        newest_first: true,
    };
    let (page, has_more) = table.list(owner, "video_", &query).await.unwrap();
    assert_eq!((names(&page), has_more), (vec!["video_4".to_owned()], true));
    query.after = page.last().map(|job| job.id.clone());
    let (page, has_more) = table.list(owner, "video_", &query).await.unwrap();
    assert_eq!((names(&page), has_more), (vec!["video_2".to_owned()], true));
    query.after = page.last().map(|job| job.id.clone());
    let (page, has_more) = table.list(owner, "video_", &query).await.unwrap();
    assert_eq!(
        (names(&page), has_more),
        (vec!["video_0".to_owned()], false)
    );
}
