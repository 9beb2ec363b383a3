// One picture from the camera, in a dialog. Knows nothing of what becomes of it: then(file).

export async function camera(dialog, then, say) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    return say("There is no camera, or this page may not use it.");
  }
  const video = dialog.querySelector("video");
  const snap = dialog.querySelector("#snap");
  snap.disabled = true; // until there is a frame: before it, the picture would be empty
  video.addEventListener("loadeddata", () => { snap.disabled = false; }, { once: true });
  video.srcObject = stream;
  dialog.showModal();
  snap.onclick = () => { shoot(video, then); dialog.close(); };
  dialog.querySelector("#away").onclick = () => dialog.close();
  dialog.onclose = () => stream.getTracks().forEach((track) => track.stop());
}

function shoot(video, then) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => then(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.92);
}
