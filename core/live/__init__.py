"""The live player: pictures come in, are swapped and go out; what is late is dropped, never queued.

a source -> newest (one slot) -> follow -> swap -> compose -> badge -> outlet -> page, MJPEG, recording, camera
"""
