//! One round of a labelling: a job of the engine's, from its submission to its outcomes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_core::client::BallistaClient;
use ballista_core::error::BallistaError;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::execute_query_result::Result as Accepted;
use ballista_core::serde::protobuf::job_status::Status as JobStatus;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, ExecuteQueryParams, GetJobStatusParams, PartitionLocation,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::version::insert_version_header;
use datafusion::error::DataFusionError;
use datafusion_proto::physical_plan::AsExecutionPlan as _;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures_util::TryStreamExt as _;
use tokio::time::sleep;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::codec::LabelCodec;
use super::label_shards::{LabelShards, outcomes_of};
use crate::failure::Failure;
use crate::{ClusterError, Job, SchedulerAddress, ShardOutcome};

/// How often the scheduler is asked how a job is.
const ASK: Duration = Duration::from_millis(500);
/// How long it may be without an answer.
const SILENCE: Duration = Duration::from_secs(20);
/// Bytes of a message at most, as the engine has it.
const MESSAGE: usize = 16 << 20;

/// A job that a scheduler has accepted.
pub(super) struct Submission {
    scheduler: SchedulerAddress,
    client: SchedulerGrpcClient<Channel>,
    job: String,
    /// When the scheduler last knew of it.
    heard: Instant,
}

/// What has become of a job.
pub(super) enum Progress {
    /// It waits, or runs.
    Running,
    /// It is done: where its outcomes are.
    Done(Vec<PartitionLocation>),
    /// It has failed, as the engine says.
    Failed(Failure),
}

impl Submission {
    /// Hands shards to the scheduler.
    pub(super) async fn submit(
        scheduler: &SchedulerAddress,
        job: Arc<Job>,
        shards: &[usize],
    ) -> Result<Self, ClusterError> {
        let session_id = job.plan.clone();
        let plan = LabelShards::over(job, shards).map_err(plan_error)?;
        let plan = PhysicalPlanNode::try_from_physical_plan(Arc::new(plan), &LabelCodec::default());
        let mut message = Vec::new();
        plan.and_then(|plan| plan.try_encode(&mut message)).map_err(plan_error)?;

        let config = GrpcClientConfig::default();
        let url = format!("http://{}:{}", scheduler.host, scheduler.port);
        let endpoint = create_grpc_client_endpoint(url, Some(&config))
            .map_err(|error| unreachable(scheduler, &error))?;
        let channel = endpoint.connect().await.map_err(|error| unreachable(scheduler, &error))?;
        let mut client = SchedulerGrpcClient::new(channel)
            .max_encoding_message_size(MESSAGE)
            .max_decoding_message_size(MESSAGE);
        let mut request = Request::new(ExecuteQueryParams {
            session_id,
            settings: Vec::new(),
            operation_id: "label".to_owned(),
            query: Some(Query::PhysicalPlan(message)),
        });
        insert_version_header(request.metadata_mut());
        let answer = client.execute_query(request).await.map_err(|status| refused(scheduler, &status))?;
        match answer.into_inner().result {
            Some(Accepted::Success(success)) => {
                Ok(Self { scheduler: scheduler.clone(), client, job: success.job_id, heard: Instant::now() })
            }
            Some(Accepted::Failure(failure)) => {
                Err(ClusterError::Refused(Failure::of(&format!("{failure:?}")).words))
            }
            None => Err(ClusterError::Engine("the scheduler accepts no job".to_owned())),
        }
    }

    /// Waits a little, and asks how the job is.
    pub(super) async fn ask(&mut self) -> Result<Progress, ClusterError> {
        sleep(ASK).await;
        let request = GetJobStatusParams { job_id: self.job.clone() };
        let silent = match self.client.get_job_status(request).await {
            Ok(answer) => match answer.into_inner().status.and_then(|status| status.status) {
                Some(status) => {
                    self.heard = Instant::now();
                    return Ok(match status {
                        JobStatus::Successful(done) => Progress::Done(done.partition_location),
                        JobStatus::Failed(failed) => Progress::Failed(Failure::of(&failed.error)),
                        JobStatus::Queued(_) | JobStatus::Running(_) => Progress::Running,
                    });
                }
                // One that was started again knows nothing of the job.
                None => None,
            },
            Err(status) => Some(status),
        };
        match silent {
            _ if self.heard.elapsed() < SILENCE => Ok(Progress::Running),
            Some(status) => Err(unreachable(&self.scheduler, &status)),
            None => {
                Ok(Progress::Failed(Failure::passing(format!("{} no longer knows of it", self.scheduler))))
            }
        }
    }

    /// Tells the scheduler that the outcomes are no longer wanted: executors stop after their photo.
    pub(super) async fn cancel(&mut self) -> Result<(), ClusterError> {
        let request = CancelJobParams { job_id: self.job.clone() };
        match self.client.cancel_job(request).await {
            Ok(_) => Ok(()),
            Err(status) => Err(unreachable(&self.scheduler, &status)),
        }
    }
}

/// The outcomes of a job that is done. An executor may be gone by now; what it has written is in the output all the same.
pub(super) async fn outcomes(places: Vec<PartitionLocation>) -> (Vec<ShardOutcome>, Option<BallistaError>) {
    let mut clients: HashMap<(String, u16), BallistaClient> = HashMap::new();
    let (mut outcomes, mut trouble) = (Vec::new(), None);
    for place in places {
        match outcomes_at(place, &mut clients).await {
            Ok(some) => outcomes.extend(some),
            Err(error) => trouble = Some(error),
        }
    }
    (outcomes, trouble)
}

async fn outcomes_at(
    place: PartitionLocation,
    clients: &mut HashMap<(String, u16), BallistaClient>,
) -> Result<Vec<ShardOutcome>, BallistaError> {
    let layout = place.layout();
    let missing = || BallistaError::Internal("a partition without a place".to_owned());
    let executor = place.executor_meta.ok_or_else(missing)?;
    let partition = place.partition_id.ok_or_else(missing)?;
    let (host, port) = (executor.host, u16::try_from(executor.port).map_err(|_| missing())?);
    let client = match clients.entry((host.clone(), port)) {
        Entry::Occupied(client) => client.into_mut(),
        Entry::Vacant(free) => {
            let (tries, pause) = (GrpcClientConfig::default().io_retries_times, ASK.as_millis() as u64);
            free.insert(BallistaClient::try_new(&host, port, MESSAGE, false, None, tries, pause, 0, 0).await?)
        }
    };
    let batches = client
        .fetch_partition(&executor.id, &partition.into(), place.file_id, layout, true)
        .await?
        .try_collect::<Vec<_>>()
        .await?;
    let mut outcomes = Vec::new();
    for batch in &batches {
        outcomes.extend(outcomes_of(batch)?);
    }
    Ok(outcomes)
}

fn plan_error(error: DataFusionError) -> ClusterError {
    ClusterError::Engine(error.to_string())
}

fn unreachable(scheduler: &SchedulerAddress, error: &dyn std::error::Error) -> ClusterError {
    // The last cause says it plainest.
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    ClusterError::Unreachable { scheduler: scheduler.to_string(), reason: last.to_string() }
}

/// Of an answer that is none: a version that differs is no fault of the network.
fn refused(scheduler: &SchedulerAddress, status: &Status) -> ClusterError {
    match status.code() {
        Code::FailedPrecondition | Code::InvalidArgument => {
            ClusterError::Refused(Failure::of(status.message()).words)
        }
        _ => unreachable(scheduler, status),
    }
}
