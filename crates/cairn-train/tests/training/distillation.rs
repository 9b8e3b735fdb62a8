//! A network learns from another one's answers.

use cairn_dataset::BatchMixing;
use cairn_model::Model;
use cairn_train::{DistilRecipe, Recipe, RunFolder, TrainError};

use crate::tiny::{TinySet, recipe};

fn taught_by(teacher: &RunFolder, change: impl FnOnce(&mut Recipe)) -> Recipe {
    recipe(|r| {
        let teachers = vec![teacher.path().display().to_string()];
        r.distil = Some(DistilRecipe { teachers, weight: 1.0, temperature: 1.5 });
        sure_of_itself(r);
        change(r);
    })
}

/// Long enough for a network to know the few photos, with nothing that keeps it from being sure.
fn sure_of_itself(recipe: &mut Recipe) {
    recipe.training.epochs = 16;
    recipe.training.label_smoothing = 0.0;
    recipe.network.dropout = 0.0;
}

fn teacher(set: &TinySet) -> RunFolder {
    let (run, outcome) = set.train_anew(&recipe(sure_of_itself), "teacher");
    outcome.unwrap();
    run
}

#[test]
fn a_network_comes_to_answer_as_its_teacher_without_a_label() {
    let set = TinySet::new();
    let teacher = teacher(&set);
    let student = taught_by(&teacher, |r| {
        r.training.seed = 9;
        r.photos.mixing = Some(BatchMixing::MixUp { alpha: 0.5 });
    });
    let (run, outcome) = set.train_anew(&student, "student");
    let history = outcome.unwrap().history;
    let [first, .., last] = history.epochs() else { panic!("{history:?}") };
    assert!(last.train_loss < 0.5 * first.train_loss, "the divergence must fall: {history:?}");
    let (teacher, student) = (Model::open(teacher.path()).unwrap(), Model::open(run.path()).unwrap());
    let agree = |photo: &std::path::Path| {
        let answer = |model: &Model| model.predict(photo, 1).unwrap().landmarks[0].class.clone();
        answer(&teacher) == answer(&student)
    };
    let photos = set.data().train;
    let agreed = photos.iter().filter(|photo| agree(&photo.path())).count();
    assert!(4 * agreed > 3 * photos.len(), "{agreed} of {} answers are the teacher's", photos.len());
}

#[test]
fn a_teacher_that_is_not_there_or_sees_too_large_photos_is_an_error_with_its_path() {
    let set = TinySet::new();
    let nowhere = set.run_folder("nowhere", &recipe(|_| {}));
    let (_, outcome) = set.train_anew(&taught_by(&nowhere, |_| {}), "a");
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("nowhere"), "{message}");

    let small = recipe(|r| {
        r.network.architecture = cairn_nets::Architecture::ThreeConv;
        r.training.epochs = 1;
    });
    let (small, outcome) = set.train_anew(&small, "small");
    outcome.unwrap();
    let larger = taught_by(&small, |r| {
        r.photos.framing = cairn_photo::Framing::ShortSideCrop { short_side: 72, crop: 64 };
        r.photos.augment = r.photos.augment.scaled(2.0);
    });
    let error = set.train_anew(&larger, "b").1.unwrap_err();
    assert!(matches!(error, TrainError::TeacherSize { side: 32, largest: 64, .. }), "{error:?}");
}
