use stepwell_testing::{Failure, json};

use crate::host;

#[test]
fn what_is_no_picture_is_named_and_the_rest_is_written_down() {
    let mut host = host("media_pipeline");
    host.replace("find_pictures", |_| Ok(json!(["a.pgm", "b.pgm", "c.pgm"])));
    host.replace("shrink", |name| match name.as_str().unwrap() {
        "b.pgm" => Err(Failure::new("no-picture", "b.pgm is no graymap")),
        name => Ok(json!({ "name": name, "width": 2, "height": 1, "brightness": 7 })),
    });
    host.replace("write_catalogue", |pictures| {
        assert_eq!(pictures.as_array().unwrap().len(), 2);
        Ok(json!(null))
    });

    let catalogue = host.run("shrink_all", json!(null)).value();

    assert_eq!(catalogue["refused"], json!(["b.pgm is no graymap"]));
    assert_eq!(catalogue["pictures"][1]["name"], "c.pgm");
    assert_eq!(host.attempts("shrink").len(), 3);
}

#[test]
fn a_crash_at_any_entry_cannot_be_seen() {
    let mut host = host("media_pipeline");
    host.replace("find_pictures", |_| Ok(json!(["a.pgm", "b.pgm"])));
    host.replace("shrink", |name| {
        Ok(json!({ "name": name, "width": 2, "height": 1, "brightness": 7 }))
    });
    host.replace("write_catalogue", |_| Ok(json!(null)));

    let catalogue = host.crash_everywhere(|host| host.run("shrink_all", json!(null)).value());

    assert_eq!(catalogue["pictures"].as_array().unwrap().len(), 2);
}

#[test]
fn without_a_grant_there_is_no_directory() {
    let mut host = host("media_pipeline");

    let failure = host.run("shrink_all", json!(null)).failure();

    // The guest finds that there is no such directory, and the host says why.
    assert!(failure.message.contains("not granted to module"), "{failure}");
    assert!(failure.message.contains("dir /in:ro"), "{failure}");
}
