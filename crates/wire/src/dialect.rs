//! The ways to chat that one vendor or server speaks alone, by name, and the codec of each. Only providers speak
//! them: no caller does. Not here: which provider speaks which, see [`crate::provider`].

use crate::codec::UpstreamCodec;
use crate::oracle::OracleChat;
use crate::prompted::{Bytez, CustomServer, NlpCloud, TextGeneration, TritonGenerate, WatsonxText};
use crate::replicate::Prediction;
use crate::sagemaker::{EndpointChat, EndpointText};
use crate::watsonx::WatsonxChat;

/// A dialect of one vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Bytez: messages, and settings under `params`.
    Bytez,
    /// The server that LiteLLM documents as an example of one's own.
    CustomServer,
    /// NLP Cloud's `generation`.
    NlpCloud,
    /// Oracle's `actions/chat`.
    Oracle,
    /// A prediction of a model or deployment at Replicate.
    Replicate,
    /// A prediction of one version of a model at Replicate, which the body names.
    ReplicateVersion,
    /// OpenAI's body at an endpoint of SageMaker, streamed as AWS events.
    SageMakerChat,
    /// Text generation at an endpoint of SageMaker, streamed as AWS events.
    SageMakerText,
    /// Hugging Face's text generation servers: `inputs` and `parameters`.
    TextGeneration,
    /// Triton's `generate`.
    Triton,
    /// watsonx.ai's chat with a model.
    Watsonx,
    /// watsonx.ai's chat with a deployment, which the path names.
    WatsonxDeployment,
    /// watsonx.ai's text generation.
    WatsonxText,
}

impl Dialect {
    /// The name shown to people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Bytez => "Bytez",
            Self::CustomServer => "LiteLLM's custom server",
            Self::NlpCloud => "NLP Cloud",
            Self::Oracle => "Oracle generative AI",
            Self::Replicate | Self::ReplicateVersion => "Replicate predictions",
            Self::SageMakerChat => "SageMaker chat",
            Self::SageMakerText => "SageMaker text generation",
            Self::TextGeneration => "Hugging Face text generation",
            Self::Triton => "Triton generate",
            Self::Watsonx | Self::WatsonxDeployment => "watsonx chat",
            Self::WatsonxText => "watsonx text generation",
        }
    }

    /// Who speaks it.
    #[must_use]
    pub fn codec(self) -> &'static dyn UpstreamCodec {
        match self {
            Self::Bytez => &Bytez,
            Self::CustomServer => &CustomServer,
            Self::NlpCloud => &NlpCloud,
            Self::Oracle => &OracleChat,
            Self::Replicate => &Prediction { versioned: false },
            Self::ReplicateVersion => &Prediction { versioned: true },
            Self::SageMakerChat => &EndpointChat,
            Self::SageMakerText => &EndpointText,
            Self::TextGeneration => &TextGeneration,
            Self::Triton => &TritonGenerate,
            Self::Watsonx => &WatsonxChat { deployment: false },
            Self::WatsonxDeployment => &WatsonxChat { deployment: true },
            Self::WatsonxText => &WatsonxText,
        }
    }
}
