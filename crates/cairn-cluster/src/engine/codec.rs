//! How the operator and its errors travel between processes.

use std::io;
use std::sync::Arc;

use ballista_core::error::BallistaError;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::context::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use super::bench::Bench;
use super::label_shards::LabelShards;
use crate::TaskError;
use crate::failure::Failure;

/// What an encoded operator of ours begins with; no message of Ballista's does.
const MARK: &[u8] = b"cairn-label\n";

/// Encodes and decodes our operator, and those of Ballista as Ballista does.
#[derive(Debug, Default)]
pub(super) struct LabelCodec {
    ballista: BallistaPhysicalExtensionCodec,
    /// What decoded operators label on; none in a scheduler and in a client.
    bench: Option<Bench>,
}

impl LabelCodec {
    /// That of an executor.
    pub(super) fn with_bench(bench: Bench) -> Self {
        Self { bench: Some(bench), ..Self::default() }
    }
}

impl PhysicalExtensionCodec for LabelCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(job) = bytes.strip_prefix(MARK) else {
            return self.ballista.try_decode(bytes, inputs, context, converter);
        };
        let other = |error| {
            refusal(&format!("the command is of another version of cairn ({error}); use one version"))
        };
        let job = serde_json::from_slice(job).map_err(other)?;
        let [shards] = inputs else { return Err(refusal("a table of shards is missing")) };
        Ok(Arc::new(LabelShards::new(Arc::new(job), Arc::clone(shards), self.bench.clone())))
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(labelling) = plan.downcast_ref::<LabelShards>() else {
            return self.ballista.try_encode(plan, bytes, converter);
        };
        bytes.extend_from_slice(MARK);
        serde_json::to_writer(bytes, &*labelling.job)
            .map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

/// The error of what will not work however often it is tried: the engine fails the job at once.
pub(super) fn refusal(words: &str) -> DataFusionError {
    DataFusionError::Execution(Failure::refusal(words).to_string())
}

/// The error of a task, so that the engine does with it what is right: it fails the job, tries the task again, or takes it as not
/// begun.
pub(super) fn task_failure(error: TaskError) -> DataFusionError {
    match error {
        TaskError::Refused(words) => refusal(&words),
        TaskError::Passing(words) => {
            DataFusionError::IoError(io::Error::other(Failure::passing(words).to_string()))
        }
        TaskError::Stopped => BallistaError::Cancelled.into_datafusion(),
    }
}
