//! The plan: which photos are which shard. It is made once, and written into the output before anything else.

use serde::{Deserialize, Serialize};

use crate::LabelError;
use crate::list::{Cut, Input, MADE_LIST, PlannedInput};
use crate::settings::Settings;
use crate::store::{Put, Store, StoreError, read_whole};

/// The plan's file.
pub const PLAN: &str = "_plan.json";
/// The version of its format.
const FORMAT: u32 = 1;

/// Which photos are which shard, and how they are labelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    format: u32,
    /// What results depend on beside the photos.
    pub settings: Settings,
    /// The lists.
    pub inputs: Vec<PlannedInput>,
    /// The shards, in order.
    pub shards: Vec<Shard>,
}

/// Some thousand photos that lie side by side in one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(usize, u64, u64, Option<u64>)", into = "(usize, u64, u64, Option<u64>)")]
pub struct Shard {
    /// Which of the plan's lists, from 0 on.
    pub input: usize,
    /// Where in it.
    pub cut: Cut,
}

impl From<(usize, u64, u64, Option<u64>)> for Shard {
    fn from((input, start, end, rows): (usize, u64, u64, Option<u64>)) -> Self {
        Self { input, cut: Cut { start, end, rows } }
    }
}

impl From<Shard> for (usize, u64, u64, Option<u64>) {
    fn from(shard: Shard) -> Self {
        (shard.input, shard.cut.start, shard.cut.end, shard.cut.rows)
    }
}

impl Plan {
    /// The plan of the output `out`: that which is in it, if it was begun with these settings and lists, else a new one.
    ///
    /// # Errors
    /// When a list cannot be read, or the output was begun otherwise.
    pub fn of(out: &dyn Store, settings: Settings, inputs: &[Input]) -> Result<Self, LabelError> {
        let planned: Vec<PlannedInput> = inputs.iter().map(|input| input.planned.clone()).collect();
        if let Some(begun) = Self::read(out)? {
            let begun = begun.unless_other(out, &settings, &planned)?;
            return begun.unless_replaced(out);
        }
        if let Some(name) = out.list()?.into_keys().find(|name| name.starts_with("part-")) {
            let reason = format!("it holds {name} of another program or of a plan that is gone");
            return Err(LabelError::ForeignOutput { out: out.name(), reason });
        }
        let mut shards = Vec::new();
        for (place, input) in inputs.iter().enumerate() {
            input.cut(settings.shard.get(), &mut |cut| shards.push(Shard { input: place, cut }))?;
        }
        if shards.is_empty() {
            return Err(LabelError::NoPhotos);
        }
        for content in inputs.iter().filter_map(Input::made) {
            let is_other = || Ok::<_, LabelError>(read_whole(out, MADE_LIST)?.as_deref() != Some(content));
            if out.put_new(MADE_LIST, content)? == Put::Exists && is_other()? {
                let reason = format!("it holds a {MADE_LIST} of other photos");
                return Err(LabelError::ForeignOutput { out: out.name(), reason });
            }
        }
        let plan = Self { format: FORMAT, settings, inputs: planned, shards };
        plan.put(out)
    }

    /// The plan in the output; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(out: &dyn Store) -> Result<Option<Self>, LabelError> {
        let Some(bytes) = read_whole(out, PLAN)? else { return Ok(None) };
        let foreign = |reason| LabelError::ForeignOutput { out: out.name(), reason };
        let plan: Self = serde_json::from_slice(&bytes)
            .map_err(|error| foreign(format!("its {PLAN} cannot be read ({error})")))?;
        match plan.format {
            FORMAT => Ok(Some(plan)),
            other => {
                Err(foreign(format!("its {PLAN} is of the format {other}, which this cairn does not know")))
            }
        }
    }

    /// A hash of all that is in it: another process sees by it whether it reads the same plan.
    pub fn identity(&self) -> String {
        let content = serde_json::json!(self).to_string();
        format!("blake3:{}", &blake3::hash(content.as_bytes()).to_hex()[..16])
    }

    /// Writes the plan, or gives that of somebody who was faster.
    fn put(self, out: &dyn Store) -> Result<Self, LabelError> {
        if out.put_new(PLAN, &self.bytes(out)?)? == Put::Exists {
            let begun = Self::read(out)?.ok_or_else(|| LabelError::Overwrites { out: out.name() })?;
            return begun.unless_other(out, &self.settings, &self.inputs);
        }
        self.unless_replaced(out)
    }

    /// The plan, once the store has kept it from being written again. Everything stands on this, and some stores that look like
    /// S3 do not keep to it.
    fn unless_replaced(self, out: &dyn Store) -> Result<Self, LabelError> {
        match out.put_new(PLAN, &self.bytes(out)?)? {
            Put::Exists => Ok(self),
            Put::Written => Err(LabelError::Overwrites { out: out.name() }),
        }
    }

    fn bytes(&self, out: &dyn Store) -> Result<Vec<u8>, StoreError> {
        let place = || format!("{}/{PLAN}", out.name());
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::from);
        bytes.map_err(|source| StoreError { place: place(), what: "written", source })
    }

    fn unless_other(
        self,
        out: &dyn Store,
        settings: &Settings,
        inputs: &[PlannedInput],
    ) -> Result<Self, LabelError> {
        let lists = || {
            if self.inputs.len() != inputs.len() {
                return Some(format!("with {} lists then, {} now", self.inputs.len(), inputs.len()));
            }
            let other = self.inputs.iter().zip(inputs).find(|(then, now)| then != now)?;
            Some(match other {
                (then, now) if then.name != now.name => {
                    format!("the list was {} then, {} now", then.name, now.name)
                }
                (then, _) if then.name == MADE_LIST => {
                    format!("the photos were others ({MADE_LIST} in it lists them)")
                }
                (then, _) => format!("the list {} has changed", then.name),
            })
        };
        match self.settings.difference(settings).or_else(lists) {
            Some(difference) => Err(LabelError::OtherPlan { out: out.name(), difference }),
            None => Ok(self),
        }
    }

    /// The name of a shard's file, `part-000012-0123456789abcdef.parquet`: it follows from all that its content follows from.
    pub fn part_name(&self, index: usize) -> String {
        format!("part-{index:06}-{}.parquet", self.shard_id(index))
    }

    /// A hash of what a shard's rows follow from: the list, the stretch of it, the model and every option.
    fn shard_id(&self, index: usize) -> String {
        let shard = self.shards[index];
        // The model's name is for people.
        let settings = Settings { model: String::new(), ..self.settings.clone() };
        let content = serde_json::json!([FORMAT, settings, self.inputs[shard.input], shard]);
        blake3::hash(content.to_string().as_bytes()).to_hex()[..16].to_owned()
    }
}
